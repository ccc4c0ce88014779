"""The rule of each operation: how it works on many examples at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import RecordingError
from graphc.opdef import OpDef, Trait
from graphc.ops import (
    anomaly,
    convolution,
    definite,
    determinants,
    diagonal,
    eigen,
    fourier,
    indefinite,
    index,
    linalg,
    lu,
    matrix_exp,
    orthogonal,
    put,
    scan,
    search,
    select,
    shape,
    solve,
    sort,
)
from graphc.passes.batching import index_rules, product_rules, shape_rules
from graphc.passes.batching.application import Application, Rule
from graphc.provenance import user_location_text

RULES: Mapping[OpDef, Rule] = {
    shape.reshape: shape_rules.reshaped,
    shape.permute: shape_rules.permuted,
    shape.expand: shape_rules.expanded,
    shape.slice_: shape_rules.sliced,
    shape.pad: shape_rules.padded,
    shape.flip: shape_rules.along_dims,
    shape.concat: shape_rules.along_dims,
    select.detach: shape_rules.on_last_dims,
    anomaly.no_nan: shape_rules.on_last_dims,
    diagonal.diagonal: shape_rules.along_dims,
    scan.cumsum: shape_rules.along_dims,
    scan.cumprod: shape_rules.along_dims,
    scan.logcumsumexp: shape_rules.along_dims,
    scan.recurrence: shape_rules.along_dims,
    scan.cumargmax: shape_rules.along_dims,
    scan.cumargmin: shape_rules.along_dims,
    sort.argsort: shape_rules.along_dims,
    sort.argsort_part: shape_rules.along_dims,
    sort.sort: shape_rules.along_dims,
    sort.median: shape_rules.on_last_dims,
    search.searchsorted: shape_rules.searched,
    fourier.fft: shape_rules.along_dims,
    fourier.rfft: shape_rules.along_dims,
    fourier.irfft: shape_rules.along_dims,
    linalg.matmul: product_rules.product,
    linalg.linear: product_rules.linear_map,
    convolution.conv: product_rules.convolution,
    solve.solve: product_rules.on_matrices,
    solve.solve_triangular: product_rules.on_matrices,
    orthogonal.lstsq: product_rules.on_matrices,
    solve.inv: shape_rules.on_last_dims,
    solve.cholesky: shape_rules.on_last_dims,
    definite.cholesky_ex: shape_rules.on_last_dims,
    indefinite.ldl: shape_rules.on_last_dims,
    indefinite.ldl_solve: product_rules.on_matrices,
    determinants.det: shape_rules.on_last_dims,
    determinants.cofactors: shape_rules.on_last_dims,
    determinants.cofactor_slopes: shape_rules.on_last_dims,
    determinants.slogdet: shape_rules.on_last_dims,
    eigen.eigh: shape_rules.on_last_dims,
    eigen.eigvalsh: shape_rules.on_last_dims,
    eigen.eig: shape_rules.on_last_dims,
    lu.lu: shape_rules.on_last_dims,
    lu.row_order: shape_rules.on_last_dims,
    matrix_exp.matrix_exp: shape_rules.on_last_dims,
    orthogonal.qr: shape_rules.on_last_dims,
    orthogonal.svd: shape_rules.on_last_dims,
    orthogonal.svdvals: shape_rules.on_last_dims,
    orthogonal.pinv: shape_rules.on_last_dims,
    index.index: index_rules.read,
    index.index_add: index_rules.added,
    index.gather: shape_rules.along_dims,
    index.scatter_add: shape_rules.along_dims,
    put.index_put: index_rules.put,
    put.scatter: shape_rules.along_dims,
    put.scatter_reduce: shape_rules.along_dims,
}
"""Elementwise operations and reductions have the rules of their traits."""


def rule_of(op: OpDef) -> Rule | None:
    """An operation's rule; None for what has no operands, or only passes make."""
    if op in RULES:
        return RULES[op]
    if op.traits & Trait.ELEMENTWISE:
        return shape_rules.elementwise
    return shape_rules.along_dims if op.traits & Trait.REDUCE else None


def apply_rule(call: Application) -> Any:
    """The batched result of one application.

    Raises:
        RecordingError: if the operation has no rule.
    """
    rule = rule_of(call.op)
    if rule is None:
        raise RecordingError(
            f"vmap: {call.op.name} has no batching rule",
            fix="compute it outside, or loop over the examples",
            where=user_location_text(),
        )
    return rule(call)
