"""Taking back what a recording that failed has made outside its graph, such as optimizer state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder

_actions: WeakKeyDictionary[Recorder, list[Callable[[], None]]] = WeakKeyDictionary()


def on_failure(recorder: Recorder, action: Callable[[], None]) -> None:
    """Call ``action`` if this recording ends with an error; it must not keep the recorder alive."""
    _actions.setdefault(recorder, []).append(action)


def roll_back(recorder: Recorder) -> None:
    """Call all actions noted for a recording, the latest first."""
    for action in reversed(_actions.pop(recorder, [])):
        action()


@contextmanager
def rolled_back_on_error(recorder: Recorder) -> Iterator[None]:
    """Call all actions noted for a recording if the block raises."""
    try:
        yield
    except BaseException:
        roll_back(recorder)
        raise
