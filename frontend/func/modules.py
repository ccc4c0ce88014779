"""Modules as functions of their parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from graphc.errors import ArgumentError, CheckpointError, DTypeError
from graphc.frontend.base import is_tensor
from graphc.frontend.compile.module import CompiledModule
from graphc.frontend.functions.pieces import stack
from graphc.frontend.guards.observed import OwnedDict
from graphc.frontend.guards.reads import current_reads
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

Tensors = Mapping[str, Tensor]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Tensors | Sequence[Tensors],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in place of its parameters and buffers.

    Args:
        module: the module; during the call it holds the other tensors, so no other thread should
            use it, and after the call it is as before. A compiled one is called as the module that
            it was made of: compile the function that calls this one.
        parameter_and_buffer_dicts: tensors by path, as ``named_parameters`` gives them, or a
            tuple of such dicts. What is not named stays the module's own.
        args: the argument, or a tuple of arguments.
        kwargs: the keyword arguments.
        tie_weights: a tensor for one path also stands in for all paths that share its parameter.
        strict: require all paths, and no others.

    Raises:
        ArgumentError: for a path in two dicts, or several tensors for one tied parameter.
        CheckpointError: while strict, for other paths than the module's.

    Source: ``torch.func.functional_call``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> layer = nn.Linear(2, 1, bias=False)
        >>> gc.func.functional_call(layer, {"weight": gc.tensor([[1.0, 10.0]])}, gc.ones(2))
        tensor([11.])
    """
    given = _merged(parameter_and_buffer_dicts)
    places = _places(module)
    if strict:
        _require_all(given, places)
    chosen = {path: x for path, x in given.items() if path in places}
    if tie_weights:
        chosen = _tied(chosen, places)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _swapped([(places[path], x) for path, x in chosen.items()]):
        return _plain(module)(*arguments, **(kwargs or {}))


def _plain(module: Module) -> Any:
    """What a compiled module was made of: traces belong to the tensors that they have read."""
    compiled = isinstance(module, CompiledModule)
    return module.compiled_function().function if compiled else module


class _Place(NamedTuple):
    """Where a module holds a parameter or buffer.

    Attributes:
        owner: the module that has it as an attribute.
        held: the dict of its parameters or buffers.
        name: its key there.
        tensor: what is there.
    """

    owner: Module
    held: OwnedDict[Any]
    name: str
    tensor: Tensor


def _merged(dicts: Tensors | Sequence[Tensors]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for each in [dicts] if isinstance(dicts, Mapping) else dicts:
        for path, x in each.items():
            if path in found:
                raise ArgumentError(
                    "functional_call: a path is in two dicts", got=path, where=user_location_text()
                )
            if not is_tensor(x):
                raise DTypeError(
                    f"functional_call: {path!r} must be a tensor", got=type(x).__name__,
                    where=user_location_text(),
                )  # fmt: skip
            found[path] = x
    return found


def _places(module: Module) -> dict[str, _Place]:
    """All parameters and buffers by path; shared ones at each of their paths."""
    found = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        for held in (owner._parameters, owner._buffers):
            for name, tensor in held.items():
                if tensor is not None:
                    path = f"{prefix}.{name}" if prefix else name
                    found[path] = _Place(owner, held, name, tensor)
    return found


def _require_all(given: Tensors, places: Mapping[str, _Place]) -> None:
    missing, unexpected = sorted(places.keys() - given), sorted(given.keys() - places)
    if missing or unexpected:
        parts = [("missing", missing), ("unexpected", unexpected)]
        raise CheckpointError(
            "functional_call: the paths are not the module's",
            got="; ".join(f"{what}: {', '.join(paths)}" for what, paths in parts if paths),
            where=user_location_text(),
        )


def _tied(chosen: dict[str, Tensor], places: Mapping[str, _Place]) -> dict[str, Tensor]:
    """The tensors for all paths that share a parameter with one that is given."""
    groups: dict[int, list[str]] = {}
    for path, place in places.items():
        groups.setdefault(id(place.tensor), []).append(path)
    found = dict(chosen)
    for paths in groups.values():
        named = [path for path in paths if path in chosen]
        if len({id(chosen[path]) for path in named}) > 1:
            raise ArgumentError(
                "functional_call: one parameter got several tensors", got=", ".join(named),
                fix="name it once, or say tie_weights=False", where=user_location_text(),
            )  # fmt: skip
        for path in paths if named else ():
            found[path] = chosen[named[0]]
    return found


@contextmanager
def _swapped(pairs: Sequence[tuple[_Place, Tensor]]) -> Iterator[None]:
    """Put tensors in place of parameters and buffers, inside the block.

    That is no change of the module: a trace notes what it reads of it as it was.
    """
    reads = current_reads()
    if reads is not None:
        for place, _ in pairs:
            reads.note(place.owner, place.name)
    try:
        for place, x in pairs:
            dict.__setitem__(place.held, place.name, x)
        yield
    finally:
        for place, _ in pairs:
            dict.__setitem__(place.held, place.name, place.tensor)


def stack_module_state(
    models: Sequence[Module],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of several models of one kind, stacked by path.

    With ``functional_call`` and ``vmap`` they run as one.

    Args:
        models: of one class, all training or none.

    Returns:
        Two dicts of new leaves; the first dim is the models.

    Raises:
        ArgumentError: if there is no model, or they are not of one kind.

    Source: ``torch.func.stack_module_state``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> params, buffers = gc.func.stack_module_state([nn.Linear(2, 3) for _ in range(4)])
        >>> params["weight"].shape, params["bias"].shape
        ((4, 3, 2), (4, 3))
    """
    if not models:
        raise ArgumentError("stack_module_state: there is no model", where=user_location_text())
    if len({model.training for model in models}) > 1:
        raise ArgumentError(
            "stack_module_state: all models must be training, or none", where=user_location_text()
        )
    if len({type(model) for model in models}) > 1:
        raise ArgumentError(
            "stack_module_state: the models must be of one class",
            got=", ".join(sorted({type(model).__name__ for model in models})),
            where=user_location_text(),
        )
    return (
        _stacked([dict(model.named_parameters()) for model in models]),
        _stacked([dict(model.named_buffers()) for model in models]),
    )


def _stacked(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    made = {}
    for path, first in states[0].items():
        one = stack([state[path].detach() for state in states])
        made[path] = one.requires_grad_(first.requires_grad)
    return made


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Let batch normalization use the statistics of each batch, and keep none.

    ``vmap`` refuses modules that write running statistics.

    Args:
        root: it and all modules below are changed in place.

    Returns:
        The module.

    Source: ``torch.func.replace_all_batch_norm_modules_``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> gc.func.replace_all_batch_norm_modules_(nn.BatchNorm1d(4)).track_running_stats
        False
    """
    for module in root.modules():
        if "num_batches_tracked" in module._buffers:
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                module._buffers[name] = None
            module.track_running_stats = False
    return root
