"""How tensors print: PyTorch's form for concrete ones, the type and place for symbolic ones."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.dtypes import bool_, complex64, int64
from graphc.frontend.base import TensorBase
from graphc.frontend.settings.default_dtype import get_default_dtype
from graphc.frontend.settings.print_options import print_options
from graphc.provenance import describe
from graphc.storage import Array


def format_tensor(x: TensorBase) -> str:
    """The text of a tensor.

    Args:
        x: any tensor.
    """
    if x.node is not None:
        return f"<symbolic {x.node.type} from {describe(x.node) or x.node.op.name}>"
    array = x.storage.array
    extras = []
    if array.size == 0 and array.ndim > 1:
        extras.append(f"size={array.shape}")
    default = get_default_dtype()
    implied = (default,) if array.size == 0 else (default, complex64, int64, bool_)
    if x.dtype not in implied:
        extras.append(f"dtype={x.dtype!r}")
    if x._grad_fn is not None:
        extras.append(f"grad_fn={x._grad_fn}")
    elif x._requires_grad:
        extras.append("requires_grad=True")
    return _with_extras(f"tensor({_values(array)}", extras)


def _with_extras(text: str, extras: list[str]) -> str:
    """What follows the values, on a new line where the last one is full."""
    length = len(text) - text.rfind("\n") - 1
    for extra in extras:
        if length + len(extra) + 2 > print_options().linewidth:
            text += ",\n" + " " * len("tensor(") + extra
            length = len("tensor(") + len(extra)
        else:
            text += ", " + extra
            length += len(extra) + 2
    return text + ")"


def _values(array: Array) -> str:
    if array.size == 0:
        return "[]"
    wide = array.astype(np.float32) if array.dtype.kind == "V" else array  # bfloat16
    options = print_options()
    text = np.array2string(
        wide,
        max_line_width=options.linewidth + 1,
        separator=", ",
        prefix="tensor(",
        threshold=int(min(options.threshold, sys.maxsize)),
        edgeitems=options.edgeitems,
        formatter={"all": _element_text(_shown(wide))},
    )
    return text.replace(", ...,", ",  ...,")


def _shown(array: Array) -> Array:
    """The elements that are printed: all, or those near the edges of a large array."""
    edge = print_options().edgeitems
    if array.size > print_options().threshold:
        for axis, size in enumerate(array.shape):
            if size > 2 * edge:
                ends = [*range(edge), *range(size - edge, size)]
                array = array.take(ends, axis)
    return array.reshape(-1)


def _element_text(values: Array) -> Callable[[Any], str]:
    """A function that writes every element with the same width and number of digits."""
    if values.dtype.kind == "c":
        along, across = _element_text(values.real), _element_text(values.imag)
        return lambda value: along(value.real) + _imaginary_text(across(value.imag).lstrip())
    write = _float_text(values) if values.dtype.kind == "f" else str
    counted = values
    if values.dtype.kind == "f":
        counted = values[np.isfinite(values) & (values != 0)]
    width = max((len(write(value)) for value in counted), default=1)
    return lambda value: write(value).rjust(width)


def _imaginary_text(text: str) -> str:
    return f"{text}j" if text.startswith("-") else f"+{text}j"


def _float_text(values: Array) -> Callable[[Any], str]:
    """PyTorch's choice between ``1.``, ``1.2500`` and ``1.2500e+00``."""
    counted = np.abs(values[np.isfinite(values) & (values != 0)].astype(np.float64))
    options = print_options()
    digits = options.precision
    if counted.size == 0:
        return _whole_text
    low, high = float(counted.min()), float(counted.max())
    whole = bool((counted == np.ceil(counted)).all())
    is_far = high / low > 1000 or high > 1e8 or (not whole and low < 1e-4)
    if is_far if options.sci_mode is None else options.sci_mode:
        return lambda value: f"{float(value):.{digits}e}"
    return _whole_text if whole else lambda value: f"{float(value):.{digits}f}"


def _whole_text(value: Any) -> str:
    text = f"{float(value):.0f}"
    return text + "." if math.isfinite(value) else text
