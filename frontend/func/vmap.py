"""``vmap``: a function of one example as a function of many."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.dims import Size
from graphc.errors import ArgumentError, DTypeError, GraphcError, ShapeError, SymbolicValueError
from graphc.frontend.base import is_tensor
from graphc.frontend.func.axes import Axis, axes_of, leaves_of
from graphc.frontend.func.fragment import Fragment, Randomness
from graphc.frontend.functions.pieces import cat
from graphc.frontend.modes import modes, recording_into
from graphc.ops.shape import expand, narrow
from graphc.passes.batching.application import Batched, moved_first, moved_from_first
from graphc.provenance import user_location_text
from graphc.shapes import unify

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The function that applies ``func`` to many examples at once.

    ``func`` is recorded for one example; then every operation is applied to all examples by its
    batching rule. It runs once, whatever the number of examples, and sees tensors without the
    batch dim, whose values it cannot read: there is no ``item()``, and no shape that depends on
    values.

    Args:
        func: takes tensors, or lists, tuples and dicts of them; returns a tensor or such a
            structure.
        in_dims: which dim of the arguments holds the examples, None if the argument is the same
            for all; one for all arguments, or a structure like theirs.
        out_dims: where the results get that dim; None if the result is the same for all.
        randomness: ``"error"`` refuses random operations, ``"different"`` draws for each example,
            ``"same"`` draws once for all.
        chunk_size: how many examples to compute at once; default: all.

    Returns:
        A function of the same arguments; keyword arguments are the same for all examples.

    Raises:
        ArgumentError: if ``in_dims`` or ``out_dims`` do not fit, or no argument has examples.
        RecordingError: for random operations, if they are refused, and for in-place writes to
            tensors from outside.
        ShapeError: if the numbers of examples differ.
        SymbolicValueError: if ``func`` asks for a value.

    Source: ``torch.func.vmap``.

    Example:
        >>> import graphc as gc
        >>> rows, vector = gc.ones(2, 3), gc.tensor([1.0, 2.0, 3.0])
        >>> gc.vmap(gc.dot, in_dims=(0, None))(rows, vector)
        tensor([6., 6.])
    """
    if randomness not in ("error", "different", "same"):
        raise ArgumentError(
            "vmap: unknown randomness", got=repr(randomness),
            expected="'error', 'different' or 'same'", where=user_location_text(),
        )  # fmt: skip
    if chunk_size is not None and chunk_size < 1:
        raise ArgumentError(
            "vmap: chunk_size must be positive", got=repr(chunk_size), where=user_location_text()
        )
    mapped = _Mapped(func, in_dims, out_dims, randomness, chunk_size)

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return mapped(args, kwargs)

    return wrapped


class _Mapped:
    """A function with how its arguments and results hold the examples."""

    def __init__(
        self, func: Callable[..., Any], in_dims: Any, out_dims: Any, randomness: Any,
        chunk_size: int | None,
    ) -> None:  # fmt: skip
        self._func, self._in_dims, self._out_dims = func, in_dims, out_dims
        self._randomness: Randomness = randomness
        self._chunk_size = chunk_size

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        axes = axes_of("in_dims", self._in_dims, args)
        leaves, rebuild = leaves_of(args)
        _require_tensors(leaves, axes)
        axes = [
            None if axis is None else _dim_of("in_dims", axis, x.ndim)
            for x, axis in zip(leaves, axes, strict=True)
        ]
        recorder = modes.recorder or next(
            (x.recorder for x in leaves if is_tensor(x) and x.recorder), None
        )
        with recording_into(recorder):
            size = _size(leaves, axes)
            given = [
                x if axis is None else Batched(moved_first(x, axis), True)
                for x, axis in zip(leaves, axes, strict=True)
            ]
            parts = [self._results(part, rebuild, kwargs, count)
                     for part, count in _chunks(given, size, self._chunk_size)]  # fmt: skip
            return _joined(parts)

    def _results(
        self, given: Sequence[Any], rebuild: Callable[..., Any], kwargs: dict[str, Any], size: Size
    ) -> _Results:
        fragment = Fragment(modes.recorder, size, self._randomness)
        inner = [
            fragment.argument(x.value, True)
            if isinstance(x, Batched)
            else fragment.argument(x, False) if is_tensor(x) else x
            for x in given
        ]  # fmt: skip
        try:
            with recording_into(fragment):
                output = self._func(*rebuild(inner), **kwargs)
                results, rebuild_output = leaves_of(output)
                _require_results(results)
                fragment.require_untouched(filter(is_tensor, inner))
        except SymbolicValueError as error:
            raise _explained(error) from None
        axes = axes_of("out_dims", self._out_dims, output)
        made = [
            _placed(result, axis, size)
            for result, axis in zip(fragment.computed(results), axes, strict=True)
        ]
        return _Results(made, axes, rebuild_output)


class _Results:
    """The results of some examples, where their examples are, and how to rebuild the output."""

    def __init__(
        self, tensors: list[Tensor], axes: list[Axis], rebuild: Callable[..., Any]
    ) -> None:
        self.tensors, self.axes, self.rebuild = tensors, axes, rebuild


def _require_tensors(leaves: Sequence[Any], axes: Sequence[Axis]) -> None:
    if not leaves:
        raise ArgumentError(
            "vmap: the function was called without arguments", where=user_location_text()
        )
    for x, axis in zip(leaves, axes, strict=True):
        if axis is not None and not is_tensor(x):
            raise ArgumentError(
                f"vmap: in_dims gives dim {axis} for something that is no tensor",
                got=type(x).__name__, fix="give None for it in in_dims",
                where=user_location_text(),
            )  # fmt: skip
    if all(axis is None for axis in axes):
        raise ArgumentError(
            "vmap: no argument has examples", got="in_dims is None for all of them",
            fix="give at least one of them a dim", where=user_location_text(),
        )  # fmt: skip


def _dim_of(what: str, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ArgumentError(
            f"vmap: {what} names a dim that is not there", got=f"{axis} of {rank} dims",
            expected=f"{-rank}..{rank - 1}" if rank else "None", where=user_location_text(),
        )  # fmt: skip
    return axis % rank


def _size(leaves: Sequence[Any], axes: Sequence[Axis]) -> Size:
    sizes = [x.shape[axis] for x, axis in zip(leaves, axes, strict=True) if axis is not None]
    size: Size = sizes[0]
    for other in sizes[1:]:
        common = unify(size, other)
        if common is None:
            raise ShapeError(
                "vmap: the arguments have different numbers of examples",
                got=", ".join(map(str, sizes)), where=user_location_text(),
            )  # fmt: skip
        size = common
    return size


def _chunks(given: Sequence[Any], size: Size, chunk: int | None) -> list[tuple[list[Any], Size]]:
    if chunk is None:
        return [(list(given), size)]
    if not isinstance(size, int):
        raise ShapeError(
            "vmap: chunk_size needs a known number of examples", got=str(size),
            fix="leave chunk_size out, or record with a fixed batch size",
            where=user_location_text(),
        )  # fmt: skip
    bounds = [(start, min(start + chunk, size)) for start in range(0, max(size, 1), chunk)]
    return [
        (
            [
                Batched(narrow(x.value, 0, start, stop), True) if isinstance(x, Batched) else x
                for x in given
            ],
            stop - start,
        )
        for start, stop in bounds
    ]


def _require_results(results: Sequence[Any]) -> None:
    strays = [x for x in results if not is_tensor(x)]
    if strays or not results:
        raise DTypeError(
            "vmap: the function must return tensors",
            got=type(strays[0]).__name__ if strays else "nothing",
            expected="a tensor, or lists, tuples and dicts of tensors",
            where=user_location_text(),
        )


def _placed(result: Batched, axis: Axis, size: Size) -> Tensor:
    """A result with the examples where they shall be."""
    value: Tensor = result.value
    if axis is None:
        if result.is_batched:
            raise ArgumentError(
                "vmap: out_dims is None for a result that differs between examples",
                got=str(value.type), fix="give it a dim", where=user_location_text(),
            )  # fmt: skip
        return value
    if not result.is_batched:
        value = expand(value, shape=(size, *value.shape))
    moved: Tensor = moved_from_first(value, _dim_of("out_dims", axis, value.ndim))
    return moved


def _joined(parts: list[_Results]) -> Any:
    first = parts[0]
    if len(parts) == 1:
        return first.rebuild(first.tensors)
    return first.rebuild([
        first.tensors[i] if axis is None else cat([part.tensors[i] for part in parts], axis)
        for i, axis in enumerate(first.axes)
    ])  # fmt: skip


def _explained(error: SymbolicValueError) -> GraphcError:
    """Say what it means inside vmap that there are no values."""
    error.what = f"vmap: {error.what}"
    error.fix = (
        "values differ between examples: gc.where chooses between them; compute what needs a "
        "value outside vmap, or loop over the examples"
    )
    return error
