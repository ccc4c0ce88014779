"""The gradient rule of each operation that holds bodies."""

from __future__ import annotations

from collections.abc import Mapping

from graphc.opdef import OpDef
from graphc.ops.control import COND, SCAN, WHILE_LOOP
from graphc.ops.with_gradient import WITH_GRADIENT
from graphc.passes.control.cond_gradient import cond_gradient
from graphc.passes.control.custom_gradient import with_gradient_gradient
from graphc.passes.control.differentiation import Rule
from graphc.passes.control.loop_gradient import while_loop_gradient
from graphc.passes.control.scan_gradient import scan_gradient

GRADIENTS: Mapping[OpDef, Rule] = {
    SCAN: scan_gradient,
    COND: cond_gradient,
    WHILE_LOOP: while_loop_gradient,
    WITH_GRADIENT: with_gradient_gradient,
}
