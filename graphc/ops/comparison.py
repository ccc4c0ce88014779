"""Comparisons, logic and bits; none of them has a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.dtypes import bool_
from graphc.opdef import OpDef, Trait
from graphc.ops.infer import ANY, BOOL, INT, INTEGRAL, REAL, elementwise_infer
from graphc.ops.scalar_eval import ufunc


def _comparison(name: str, function: Callable[..., Any], accepts: frozenset[int]) -> OpDef:
    traits = Trait.ELEMENTWISE | (Trait.COMMUTATIVE if name in {"eq", "ne"} else Trait.NONE)
    return OpDef(name, elementwise_infer(name, accepts, bool_), ufunc(function), traits=traits)


def _bits(name: str, function: Callable[..., Any], accepts: frozenset[int]) -> OpDef:
    return OpDef(
        name,
        elementwise_infer(name, accepts),
        ufunc(function),
        traits=Trait.ELEMENTWISE | Trait.COMMUTATIVE,
    )


eq = _comparison("eq", np.equal, ANY)
ne = _comparison("ne", np.not_equal, ANY)
lt = _comparison("lt", np.less, REAL)
le = _comparison("le", np.less_equal, REAL)
gt = _comparison("gt", np.greater, REAL)
ge = _comparison("ge", np.greater_equal, REAL)

logical_and = _bits("logical_and", np.logical_and, BOOL)
logical_or = _bits("logical_or", np.logical_or, BOOL)
logical_xor = _bits("logical_xor", np.logical_xor, BOOL)
bitwise_and = _bits("bitwise_and", np.bitwise_and, INTEGRAL)
bitwise_or = _bits("bitwise_or", np.bitwise_or, INTEGRAL)
bitwise_xor = _bits("bitwise_xor", np.bitwise_xor, INTEGRAL)

logical_not = OpDef(
    "logical_not",
    elementwise_infer("logical_not", BOOL),
    ufunc(np.logical_not),
    traits=Trait.ELEMENTWISE,
)
bitwise_not = OpDef(
    "bitwise_not",
    elementwise_infer("bitwise_not", INTEGRAL),
    ufunc(np.invert),
    traits=Trait.ELEMENTWISE,
)
shift_left = OpDef(
    "shift_left", elementwise_infer("shift_left", INT), ufunc(np.left_shift),
    traits=Trait.ELEMENTWISE,
)  # fmt: skip
shift_right = OpDef(
    "shift_right", elementwise_infer("shift_right", INT), ufunc(np.right_shift),
    traits=Trait.ELEMENTWISE,
)  # fmt: skip
