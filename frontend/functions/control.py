"""Loops and branches that a compiled program has inside (``torch.cond`` and the like)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.dims import Size
from graphc.errors import ArgumentError, ArgumentTypeError, ShapeError
from graphc.frontend.control.branching import choose_now, record_choice
from graphc.frontend.control.leaves import Leaves, leaves_of
from graphc.frontend.control.looping import WhileLoop
from graphc.frontend.control.predicates import decision
from graphc.frontend.control.scanning import Scan
from graphc.frontend.functions.convert import normalize_dim
from graphc.frontend.functions.rearranging import movedim
from graphc.frontend.memory.views import settled
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text
from graphc.shapes import unify

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor

__all__ = ["cond", "scan", "while_loop"]


def scan(
    combine_fn: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    *,
    dim: int = 0,
    reverse: bool = False,
    length: Size | None = None,
) -> tuple[Any, Any]:
    """Go through a sequence, carrying values from step to step.

    Dynamically it is a Python loop. While recording, ``combine_fn`` is called once, and the loop
    is one node of the program; it may read tensors, parameters and modules from outside, whose
    gradients are sums over the steps, and may write buffers and draw random numbers.

    Args:
        combine_fn: ``combine_fn(carry, x)`` gives the next carry and a result, or None as one.
        init: the first carry; the next ones have its structure, shapes and dtypes.
        xs: what is gone through: tensors of one size along ``dim``; None with ``length``.
        dim: the dim of ``xs`` whose items are gone through, and of the stacked results.
        reverse: go from the last item to the first; results stay at the places of their items.
        length: the number of steps, where there are no ``xs``.

    Returns:
        The last carry, and the stacked results. Carry, ``x`` and result may be tuples, lists and
        dicts of tensors, or None.

    Raises:
        ShapeError, DTypeError: if the next carry is not as the carry is, or sequences differ in
            size; the message names the tensor.

    Source: ``torch._higher_order_ops.scan``; ``length`` as in ``jax.lax.scan``.

    Example:
        >>> import graphc as gc
        >>> def step(total, x):
        ...     return total + x, total
        >>> gc.scan(step, gc.tensor(0.0), gc.tensor([1.0, 2.0, 3.0]))
        (tensor(6.), tensor([0., 1., 3.]))
    """
    carry, sequences = leaves_of("scan", "init", init), leaves_of("scan", "xs", xs)
    axis = 0
    if sequences.tensors:
        axis = normalize_dim("scan", dim, sequences.tensors[0].ndim)
        sequences = sequences._replace(
            tensors=[_moved(name, x, axis) for name, x in zip(*sequences[:2], strict=True)]
        )
    _require_functions("scan", combine_fn)
    loop = Scan(combine_fn, carry, sequences, _length(sequences, length), bool(reverse))
    recorder = _recorder([*carry.tensors, *sequences.tensors])
    last, results = loop.run() if recorder is None else loop.record(recorder)
    placed = [movedim(y, 0, axis) if 0 < axis < y.ndim else y for y in results.tensors]
    return last, results.rebuild(placed)


def cond(
    pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any],
    operands: Sequence[Any] = (),
) -> Any:  # fmt: skip
    """The result of one of two functions.

    Dynamically, and for a Python bool, only the chosen one is called. While recording both are,
    once; each run computes only the chosen one. They may read tensors, parameters and modules
    from outside, and may write buffers and draw random numbers.

    Args:
        pred: a bool, or a tensor of one element.
        true_fn: called with the operands.
        false_fn: called with the operands; it gives the same structure, shapes and dtypes.
        operands: tensors, or tuples, lists and dicts of them.

    Returns:
        What the chosen function gives: tensors, or None, in tuples, lists and dicts.

    Raises:
        ShapeError, DTypeError: if the functions give different types; the message names the
            tensor. Only recording notices.

    Source: ``torch.cond``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor(3.0)
        >>> gc.cond(x > 0, lambda x: x * 2, lambda x: -x, (x,))
        tensor(6.)
    """
    _require_functions("cond", true_fn, false_fn)
    given = leaves_of("cond", "operands", _as_tuple("cond", "operands", operands))
    decided = decision("cond: the predicate", pred)
    if isinstance(decided, bool):
        return choose_now(true_fn if decided else false_fn, given)
    recorder = _recorder([decided, *given.tensors])
    if recorder is not None:
        return record_choice(recorder, decided, (true_fn, false_fn), given)
    return choose_now(true_fn if decided.array() else false_fn, given)


def while_loop(
    cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Sequence[Any]
) -> Any:
    """Call a function again and again, as long as a condition holds.

    Dynamically it is a Python loop. While recording both functions are called once, and the loop
    is one node of the program. They may read tensors, parameters and modules from outside; the
    body may write buffers and draw random numbers. Gradients take the loop once more; they have
    no gradients themselves while recording.

    Args:
        cond_fn: says from what is carried if there is one step more: a tensor of one element.
        body_fn: takes what is carried, and gives what is carried next.
        carried_inputs: a tuple of tensors, or of tuples, lists and dicts of them; what the body
            gives has the same structure, shapes and dtypes.

    Returns:
        What is carried in the end.

    Raises:
        ShapeError, DTypeError: if the body gives other types; the message names the tensor.

    Source: ``torch._higher_order_ops.while_loop``.

    Example:
        >>> import graphc as gc
        >>> start = gc.tensor(27), gc.tensor(0)
        >>> def step(n, count):
        ...     return gc.where(n % 2 == 0, n // 2, 3 * n + 1), count + 1
        >>> gc.while_loop(lambda n, count: n != 1, step, start)
        (tensor(1), tensor(111))
    """
    _require_functions("while_loop", cond_fn, body_fn)
    start = _as_tuple("while_loop", "carried_inputs", carried_inputs)
    carried = leaves_of("while_loop", "carry", start)
    loop = WhileLoop(cond_fn, body_fn, carried)
    recorder = _recorder(carried.tensors)
    return loop.run() if recorder is None else loop.record(recorder)


def _require_functions(what: str, *functions: Any) -> None:
    for each in functions:
        if not callable(each):
            raise ArgumentTypeError(
                f"{what}: expected functions", got=type(each).__name__, where=user_location_text()
            )


def _as_tuple(what: str, name: str, given: Any) -> tuple[Any, ...]:
    if not isinstance(given, tuple | list):
        raise ArgumentTypeError(
            f"{what}: {name} must be a tuple", got=type(given).__name__,
            fix=f"pass a tuple: {name}=(x,)", where=user_location_text(),
        )  # fmt: skip
    return tuple(given)


def _moved(name: str, x: Any, axis: int) -> Any:
    """A sequence with its items along the first dim."""
    if x.ndim <= axis:
        raise ShapeError(
            f"scan: {name} has no dim {axis} to go through", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    return settled(x) if axis == 0 else movedim(x, axis, 0)


def _length(sequences: Leaves, length: Size | None) -> Size:
    """The number of steps, on which all sequences and the argument agree."""
    if isinstance(length, int) and length < 0:
        raise ArgumentError(
            "scan: the length is negative", got=str(length), where=user_location_text()
        )
    sizes = [x.shape[0] for x in sequences.tensors] + ([] if length is None else [length])
    if not sizes:
        raise ArgumentError(
            "scan: neither xs nor length says how many steps there are",
            fix="pass length=", where=user_location_text(),
        )  # fmt: skip
    common: Size = sizes[0]
    for size in sizes[1:]:
        both = unify(common, size)
        if both is None:
            names = [*sequences.names, *(["length"] if length is not None else [])]
            raise ShapeError(
                "scan: sequences have different lengths",
                got=", ".join(f"{n}: {s}" for n, s in zip(names, sizes, strict=True)),
                where=user_location_text(),
            )
        common = both
    return common


def _recorder(tensors: Iterable[Tensor]) -> Recorder | None:
    """What records the call: the current recording, or that of a tensor; None if it runs now."""
    given = (x.recorder for x in tensors)
    recorder: Recorder | None = modes.recorder or next(filter(None, given), None)
    return recorder
