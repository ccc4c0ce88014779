"""What a compiled step depends on in its optimizers: parameters, and the state's memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from operator import is_
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from graphc.frontend.optim.optimizer import Optimizer
    from graphc.frontend.recorder import Recorder

_guarded: WeakKeyDictionary[Recorder, set[int]] = WeakKeyDictionary()
"""The optimizers whose groups a recording has guarded already."""

_EMPTY: dict[str, Any] = {}


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

    recorder.guard(is_as_traced, f"that {type(optimizer).__name__} has these parameters")


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

    recorder.guard(is_as_traced, f"that {type(optimizer).__name__} has this state")
