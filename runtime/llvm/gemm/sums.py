"""What becomes of the sums over a product's rows: the phase behind the product.

While a tile of rows is finished, each value that is summed adds up its rows in a register, and the
tile's sums go to shared memory. When all tiles are done, a phase of its own adds them in the tiles'
order and computes what depends on them. The tiles depend on shapes only.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.node import Node
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.problem import Epilogue, Problem
from graphc.runtime.llvm.ir.function import SHARED, parameters
from graphc.runtime.llvm.kernels.analysis import Partial, Place, analyze
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.schedule import Schedule
from graphc.runtime.llvm.kernels.scheduler import schedule_of
from graphc.runtime.plan import ALIGNMENT


def sums_bytes(problem: Problem) -> int:
    """Bytes from the sums of one tile of rows to those of the next one."""
    return sum(map(_bytes_of, problem.body.sums))


def places_of_sums(problem: Problem) -> tuple[Place, ...]:
    """Where the sums of the first tile of rows lie."""
    offset, places = 0, []
    for node in problem.body.sums:
        layout = Layout.contiguous(node.type.static_shape, node.type.dtype)
        places.append(Place(SHARED, layout, offset))
        offset += _bytes_of(node)
    return tuple(places)


def schedule_of_sums(target: Target, problem: Problem, epilogue: Epilogue, tiles: int) -> Schedule:
    """The phase that adds the sums of all tiles and stores what is made of them.

    Args:
        target: the processor.
        problem: the product.
        epilogue: what is computed from it.
        tiles: of rows.
    """
    first = problem.parameters - len(epilogue.operands) - len(epilogue.outputs)
    addresses = parameters(problem.parameters)[first:]
    count = len(epilogue.operands)
    _, *inputs = epilogue.body.inputs
    loads = {
        node: Place(address, layout)
        for node, address, layout in zip(inputs, addresses[:count], epilogue.operands, strict=True)
    }
    targets = zip(epilogue.body.outputs.values(), addresses[count:], epilogue.outputs, strict=True)
    stores = [(node, Place(address, layout)) for node, address, layout in targets]
    late = [(node, place) for node, place in stores if node in problem.body.late]
    partials = {
        node: Partial((place,), tiles, sums_bytes(problem))
        for node, place in zip(problem.body.sums, places_of_sums(problem), strict=True)
    }
    nodes: Sequence[Node] = [node for node, _ in late]
    return schedule_of(analyze(nodes, loads, [[place] for _, place in late], partials), target)


def _bytes_of(node: Node) -> int:
    """Of one tile's sums, in whole cache lines."""
    return -(-node.type.nbytes // ALIGNMENT) * ALIGNMENT
