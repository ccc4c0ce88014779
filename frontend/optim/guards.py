"""What a compiled step depends on in its optimizers: parameters, options, the state's memory.

Comparing all of it costs microseconds. Groups, state and optimizers note their own changes, so a
comparison need not be made again before one, as long as all that it looks at is of these kinds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from operator import is_
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from graphc.frontend.optim.group import Members, ParamGroup, ParamState, States
from graphc.frontend.optim.hooks import after_any_step, before_any_step

if TYPE_CHECKING:
    from graphc.frontend.optim.optimizer import Optimizer
    from graphc.frontend.recording.recorder import Recorder

_guarded: WeakKeyDictionary[Recorder, set[int]] = WeakKeyDictionary()
"""The optimizers whose groups a recording has guarded already."""

_EMPTY: dict[str, Any] = {}
_CONSTANT = (bool, int, float, complex, str, bytes, type(None), np.generic)


def guard_groups(optimizer: Optimizer, recorder: Recorder) -> None:
    """Let a compiled function notice other groups, or other parameters in them."""
    guarded = _guarded.setdefault(recorder, set())
    if id(optimizer) in guarded:
        return
    guarded.add(id(optimizer))
    known = [(group, list(group["params"])) for group in optimizer.param_groups]

    def is_as_traced() -> bool:
        groups = optimizer.param_groups
        return len(groups) == len(known) and all(
            now is group and len(now["params"]) == len(params)
            and all(map(is_, now["params"], params))
            for now, (group, params) in zip(groups, known, strict=True)
        )  # fmt: skip

    def is_announced() -> bool:
        return _note_changes(optimizer)

    what = f"that {type(optimizer).__name__} has these parameters"
    recorder.guard(is_as_traced, what, is_announced=is_announced)
    of_step = (before_any_step, optimizer._before_step, optimizer._after_step, after_any_step)
    recorder.guard(
        lambda: tuple(map(tuple, of_step)), f"the hooks of {type(optimizer).__name__}",
        is_announced=lambda: True,
    )  # fmt: skip


def guard_options(optimizer: Optimizer, position: int, recorder: Recorder) -> None:
    """Let a compiled function notice options that need other expressions."""
    group = optimizer.param_groups[position]
    is_ours = type(optimizer).structure.__module__.startswith("graphc.")

    def is_announced() -> bool:  # a rule of somebody else may read anything
        return is_ours and _note_changes(optimizer) and all(map(_is_constant, group.values()))

    what = f"{type(optimizer).__name__} options of group {position}"
    recorder.guard(lambda: optimizer.structure(group), what, is_announced=is_announced)


def guard_state(optimizer: Optimizer, recorder: Recorder) -> None:
    """Let a compiled function notice state that was dropped or replaced, not written in place."""
    params = [
        param for group in optimizer.param_groups for param in group["params"]
        if optimizer.state.get(param)  # a rule that needs no state does not care for any
    ]  # fmt: skip

    def entries() -> Iterator[Any]:
        states = map(optimizer.state.get, params, repeat(_EMPTY))
        return chain.from_iterable(map(dict.values, states))

    known = [*entries()]
    places = [*map(id, known)]

    def is_as_traced(known: object = known) -> bool:  # kept alive: no other entry gets its id
        return [*map(id, entries())] == places

    def is_announced() -> bool:
        states = map(optimizer.state.get, params, repeat(_EMPTY))
        return type(optimizer.state) is States and all(
            type(state) is ParamState or state is _EMPTY for state in states
        )

    what = f"that {type(optimizer).__name__} has this state"
    recorder.guard(is_as_traced, what, is_announced=is_announced)


def _note_changes(optimizer: Optimizer) -> bool:
    """Whether the groups, and the lists that they are in and have, note their changes."""
    groups = optimizer.param_groups
    return type(groups) is Members and all(
        type(group) is ParamGroup and type(group["params"]) is Members for group in groups
    )


def _is_constant(value: Any) -> bool:
    """Whether a value of an option stays as it is; members note their changes themselves."""
    if type(value) is tuple:
        return all(map(_is_constant, value))
    return isinstance(value, _CONSTANT) or type(value) is Members
