"""How tensors print: PyTorch's form for concrete ones, the type and place for symbolic ones."""

from __future__ import annotations

import numpy as np

from graphc.dtypes import bool_, float32, int64
from graphc.frontend.base import TensorBase
from graphc.provenance import describe


def format_tensor(x: TensorBase) -> str:
    """The text of a tensor.

    Args:
        x: any tensor.
    """
    if x.node is not None:
        return f"<symbolic {x.node.type} from {describe(x.node) or x.node.op.name}>"
    extra = "" if x.dtype in (float32, int64, bool_) else f", dtype={x.dtype!r}"
    if x._grad_fn is not None:
        extra += f", grad_fn={x._grad_fn}"
    elif x._requires_grad:
        extra += ", requires_grad=True"
    return f"tensor({_values(x)}{extra})"


def _values(x: TensorBase) -> str:
    array = x.storage.array
    if array.size == 0:
        return "[]" if array.shape == (0,) else f"[], size={array.shape}"
    wide = array.astype(np.float32) if x.dtype.short == "bf16" else array
    return np.array2string(
        wide, separator=", ", prefix="tensor(", threshold=1000, precision=4, floatmode="maxprec",
        suppress_small=False,
    )  # fmt: skip
