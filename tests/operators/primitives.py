"""What is true of a primitive operation, found out by compiling its samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from graphc.dtypes import of_array
from graphc.graph import Graph
from graphc.node import make_node
from graphc.opdef import OpDef, Saves, Trait, all_ops
from graphc.ops.fused import item
from graphc.ops.leaf import placeholder
from graphc.passes.control.table import GRADIENTS
from graphc.runtime.sessions.session import Session
from graphc.types import TensorType, TupleType
from tests.op_samples import Sample, samples
from tests.operators.facts import CATEGORIES, NOTHING

NO_STEPS = {"placeholder", "variable", "constant", "size", "item"}
"""Operations that a program has no step for."""
OF_PASSES = {"fused", "fused_matmul", "linear"}
"""Operations that passes make of others or turn into others, and that are native so."""


def primitive_rows() -> Iterator[list[str]]:
    """Name, traits, execution, derivative, and what its rule keeps, of each primitive."""
    for op in sorted(all_ops(), key=lambda op: op.name):
        traits = [trait.name.lower() for trait in Trait if trait in op.traits and trait.name]
        saves = [each.name.lower() for each in Saves if each in op.saves and each.name]
        yield [
            f"`{op.name}`",
            " ".join(traits) or NOTHING,
            _execution(op),
            "yes" if op.vjp or op in GRADIENTS else NOTHING,
            " ".join(saves) or NOTHING,
        ]


def _execution(op: OpDef) -> str:
    """Return "native", "eval", or which of the two for which kind of dtypes."""
    if op.name in NO_STEPS | OF_PASSES:
        return "native" if op.name in OF_PASSES else NOTHING
    found: dict[str, str] = {}
    for sample in samples(op.name):
        kind = CATEGORIES[of_array(sample.arrays[0]).category] if sample.arrays else ""
        if kind not in found and all(array.size for array in sample.arrays):
            found[kind] = _compiled(op, sample)
    words = set(found.values()) - {""}
    if len(words) < 2:
        return next(iter(words), NOTHING)
    evaluated = [kind for kind, word in found.items() if word == "eval"]
    return f"native; {' '.join(evaluated)}: eval"


def _compiled(op: OpDef, sample: Sample) -> str:
    """How the operation's own step runs; nothing if passes leave none."""
    inputs = tuple(
        placeholder(f"x{position}", TensorType(array.shape, of_array(array)))
        for position, array in enumerate(sample.arrays)
    )
    node = make_node(op, inputs, sample.attrs)
    kind = node.result_type
    count = len(kind.items) if isinstance(kind, TupleType) else 0
    outputs = {f"y{i}": item(node, i) for i in range(count)} or {"y": node}
    session = Session(Graph(inputs, outputs))
    feed = {f"x{position}": array for position, array in enumerate(sample.arrays)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hostile values
        session.run(feed)
    kernels = session.explain(feed).kernels
    if any(kernel.name == f"numpy.{op.name}" for kernel in kernels):
        return "eval"
    return "native" if any(kernel.native for kernel in kernels) else ""
