"""What is true of an operator, found out by trying its calls."""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.config import LLVM_OPT
from graphc.dtypes import BOOLEAN, COMPLEX, DTYPES, FLOATING, INTEGER, DType
from graphc.frontend.structure import flatten
from graphc.runtime.backend import Kernel
from graphc.runtime.reporting.reports import Explanation
from tests.operators.derivatives import Array, Slopes
from tests.operators.notation import Call, Leaf, namespace

NOTHING = "-"
CATEGORIES = {BOOLEAN: "bool", INTEGER: "int", FLOATING: "float", COMPLEX: "complex"}


def recorded(calls: Sequence[Call]) -> str:
    """Whether the calls work while recording: "yes", "no" or "some"."""
    dynamic = sum("dynamic" in call.marks for call in calls)
    return "no" if dynamic == len(calls) else "some" if dynamic else "yes"


def execution(calls: Sequence[Call]) -> str:
    """How compiled programs run the calls: "native", "eval" or "mixed", with what is not native.

    Complex numbers are told apart where that is another answer.
    """
    of_reals: list[Kernel] = []
    of_complex: list[Kernel] = []
    for call in calls:
        tensors = [gc.tensor(array) for array in call.arrays()]
        if "dynamic" not in call.marks and flatten(call.function(*tensors))[1]:
            kernels = of_complex if _is_complex(call) else of_reals
            kernels += kernels_of(call.function, tensors)
    if not of_complex:
        of_complex += _kernels_of_complex(calls[0])
    first, second = executed(of_reals), executed(of_complex)
    if first == second or not of_complex:
        return first
    return f"complex {second}" if not of_reals else f"{first}; complex {second}"


def _is_complex(call: Call) -> bool:
    return any(leaf.kind in "CE" for leaf in call.leaves)


def _kernels_of_complex(call: Call) -> Sequence[Kernel]:
    """The steps of the call with complex numbers; none if it does not take them."""
    if "dynamic" in call.marks:
        return []
    working = [variant for variant in _with_dtype(call, gc.complex128) if _works(variant)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # poles
        return [
            kernel
            for variant in working
            for kernel in kernels_of(variant.function, list(map(gc.tensor, variant.arrays)))
        ]


def kernels_of(function: Callable[..., Any], tensors: Sequence[gc.Tensor]) -> Sequence[Kernel]:
    """The steps of a compiled function."""
    compiled = gc.compile(function)
    with LLVM_OPT.override("0"):  # what is native does not depend on it
        if not flatten(compiled(*tensors))[1]:
            return []
    explained: Explanation = compiled.session(*tensors).explain()
    return explained.kernels


def executed(kernels: Iterable[Kernel]) -> str:
    """Kernels in one word, and the names of those that are not native."""
    kernels = list(kernels)
    others = sorted({_operation(kernel) for kernel in kernels if not kernel.native})
    if not others:
        return "native" if kernels else NOTHING
    word = "mixed" if any(kernel.native for kernel in kernels) else "eval"
    return f"{word} ({' '.join(others)})"


def _operation(kernel: Kernel) -> str:
    return kernel.name.split()[0].removeprefix("numpy.")


def derivatives(calls: Sequence[Call]) -> tuple[str, str]:
    """Whether the first and the second derivative exist: "yes", "0" or nothing."""
    wanted = [call for call in calls if "random" not in call.marks]
    order = max((Slopes(call).order for call in wanted), default=0)
    return (NOTHING, NOTHING) if not order else ("yes", "yes" if order == 2 else "0")


def dtypes(calls: Sequence[Call]) -> str:
    """The dtypes with which one of the calls works."""
    good = [
        dtype
        for dtype in DTYPES
        if any(_works(variant) for call in calls for variant in _with_dtype(call, dtype))
    ]
    return dtypes_text(good)


def dtypes_text(good: Sequence[DType]) -> str:
    """Dtypes as kinds, e.g. ``int float``; single ones where a kind is not complete."""
    if len(good) == len(DTYPES):
        return "all"
    words = []
    for category, word in CATEGORIES.items():
        here = [dtype.name for dtype in good if dtype.category == category]
        every = sum(dtype.category == category for dtype in DTYPES)
        words += [word] if len(here) == every else here
    return " ".join(words) or NOTHING


@dataclasses.dataclass(frozen=True)
class _Variant:
    """A call with tensors of another dtype."""

    function: Callable[..., Any]
    arrays: Sequence[Array]


def _with_dtype(call: Call, dtype: DType) -> list[_Variant]:
    """The call with this dtype for its numbers, or for its ``dtype=``; none if it has neither."""
    leaves = call.leaves
    changed = [leaf for leaf in leaves if _is_number(leaf, leaves)]
    if changed:
        pairs = zip(leaves, call.arrays(), strict=True)
        arrays = [_cast(array, dtype) if leaf in changed else array for leaf, array in pairs]
        return [_Variant(call.function, arrays)]
    operator = getattr(namespace(call.place), call.name)
    if "dtype" not in inspect.signature(operator).parameters or "dtype=" in call.text:
        return []
    written = f"{call.text[:-1]}, dtype={dtype.name})"
    return [_Variant(dataclasses.replace(call, text=written).function, [])]


def _is_number(leaf: Leaf, leaves: Sequence[Leaf]) -> bool:
    """True unless the leaf holds positions or conditions."""
    if leaf.kind in "FPUAQCES":
        return True
    return leaf.kind in "NB" and all(each.kind in "NBK" for each in leaves)


def _cast(array: Array, dtype: DType) -> Array:
    if array.dtype.kind == "c" and dtype.category < COMPLEX:
        array = np.real(array)
    if dtype.category == BOOLEAN:
        return array > 0
    if dtype.category == INTEGER:
        array = np.ceil(np.abs(array))
    return array.astype(dtype.numpy)


def _works(variant: _Variant) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers of small dtypes overflow
        try:
            variant.function(*map(gc.tensor, variant.arrays))
        except (gc.GraphcError, TypeError):
            return False
    return True
