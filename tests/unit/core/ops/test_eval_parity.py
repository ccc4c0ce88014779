"""Primitives against PyTorch, where it is installed, on the hostile values of each dtype."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from graphc.opdef import get_op
from tests.closeness import assert_same
from tests.op_samples import Sample, samples

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

NAMES = {
    "neg": "neg", "abs": "abs", "floor": "floor", "ceil": "ceil", "round": "round",
    "trunc": "trunc", "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p",
    "sqrt": "sqrt", "rsqrt": "rsqrt", "sin": "sin", "cos": "cos", "tan": "tan", "tanh": "tanh",
    "sigmoid": "sigmoid", "erf": "erf", "add": "add", "sub": "sub", "div": "true_divide",
    "pow": "pow", "maximum": "maximum", "minimum": "minimum", "remainder": "remainder",
    "floor_divide": "floor_divide", "eq": "eq", "ne": "ne", "lt": "lt", "le": "le", "gt": "gt",
    "ge": "ge", "logical_and": "logical_and", "logical_or": "logical_or",
    "logical_xor": "logical_xor", "logical_not": "logical_not", "bitwise_and": "bitwise_and",
    "bitwise_or": "bitwise_or", "bitwise_xor": "bitwise_xor", "bitwise_not": "bitwise_not",
    "where": "where", "sum": "sum", "prod": "prod", "amax": "amax", "amin": "amin",
    "argmax": "argmax", "argmin": "argmin", "matmul": "matmul", "gather": "gather",
    "scatter_add": "scatter_add", "reshape": "reshape", "permute": "permute", "flip": "flip",
}  # fmt: skip
"""graphc's name to PyTorch's; without ``sign``, whose value for NaN is NaN here and 0 there."""

LOOSE = {
    "exp", "expm1", "log", "log1p", "rsqrt", "sin", "cos", "tan", "tanh", "sigmoid", "erf", "pow",
    "sqrt",
}  # fmt: skip
REDUCING = {"sum", "prod", "matmul", "scatter_add"}


@pytest.mark.parametrize("name", NAMES)
def test_pytorch_agrees(name: str) -> None:
    compared = 0
    for sample in samples(name):
        if _is_incomparable(name, sample):
            continue
        with np.errstate(all="ignore"):
            ours = get_op(name).eval(*sample.arrays, **sample.attrs)
        theirs = _in_torch(name, sample)
        signed = name not in {"maximum", "minimum", "amax", "amin", "remainder", "floor_divide"}
        signed &= ours.dtype.kind != "c"  # it subtracts complex numbers by a product with -1
        ulps, absolute = 0, 0.0
        if name in LOOSE:
            ulps = 16 if ours.dtype.itemsize >= 4 else 2
            absolute = 1e-5 if ours.dtype.kind == "c" else 0.0
        if name in REDUCING and ours.dtype.kind not in "iub":
            signed, ulps, absolute = False, 256, 1e-4
        what = f"{name}{sample}"
        assert_same(ours, theirs, ulps=ulps, absolute=absolute, signed_zero=signed, what=what)
        compared += 1
    assert compared >= 5


def _is_incomparable(name: str, sample: Sample) -> bool:
    """What PyTorch defines in another way, or not at all."""
    first = sample.arrays[-1]
    if first.dtype.name in {"bfloat16", "float16"} and name in REDUCING | {"amax", "amin"}:
        return True  # accumulates in another width
    if name in {"add", "sum", "matmul", "scatter_add"} and first.dtype.kind == "b":
        return True  # its sums of bools are integers, or not implemented
    if name in {"floor_divide", "remainder", "pow"} and first.dtype.kind in "iu":
        return True  # division by zero and negative powers raise; the oracle test covers them
    if name in {"floor_divide", "remainder"}:
        return not np.isfinite(first.astype(np.float64)).all() or first.dtype.itemsize == 2
    if first.dtype.kind == "c" and not np.isfinite(first).all():
        return True  # components of complex infinities are unspecified
    return first.dtype.kind == "c" and name in {"div", "matmul", "prod", "mul"}


def _in_torch(name: str, sample: Sample) -> Any:
    tensors = [_to_torch(array) for array in sample.arrays]
    function = getattr(torch, NAMES[name])
    attrs = dict(sample.attrs)
    if name == "scatter_add":
        x, index, source = tensors
        return _to_numpy(torch.scatter_add(x, attrs["dim"], index.long(), source))
    if name == "gather":
        return _to_numpy(torch.gather(tensors[0], attrs["dim"], tensors[1].long()))
    if name in {"argmax", "argmin"}:
        (dim,) = attrs["dims"]
        number = tensors[0].to(torch.uint8) if tensors[0].dtype is torch.bool else tensors[0]
        return _to_numpy(function(number, dim, keepdim=True))
    if name == "prod":
        return _to_numpy(_repeated(tensors[0], attrs["dims"]))
    if name in {"sum", "amax", "amin"}:
        if not attrs["dims"]:
            return _to_numpy(tensors[0])
        like = {"dtype": tensors[0].dtype} if name == "sum" else {}
        return _to_numpy(function(tensors[0], attrs["dims"], keepdim=True, **like))
    if name in {"reshape", "permute", "flip"}:
        return _to_numpy(function(tensors[0], next(iter(attrs.values()))))
    return _to_numpy(function(*tensors))


def _repeated(x: Any, dims: tuple[int, ...]) -> Any:
    for dim in dims:
        x = torch.prod(x, dim, keepdim=True, dtype=x.dtype)
    return x


def _to_torch(array: Any) -> Any:
    array = np.ascontiguousarray(array).reshape(array.shape)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(array.copy())


def _to_numpy(tensor: Any) -> Any:
    if tensor.dtype is torch.bfloat16:
        return tensor.to(torch.float32).numpy().astype(ml_dtypes.bfloat16)
    return tensor.numpy()
