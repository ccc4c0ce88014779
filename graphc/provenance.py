"""Where nodes come from: the user's source lines and module paths, kept beside the nodes.

Provenance is no part of a node's identity, and it survives rewrites as a set of origins.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from graphc.forks import lock_over_forks

if TYPE_CHECKING:
    from graphc.node import Node


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """One place in the user's program.

    Args:
        file: path of the source file.
        line: line number.
        module: path of the nn.Module that was running, e.g. ``encoder.fc1``; may be empty.
        backward: True for a node that autodiff made for this place.
    """

    file: str
    line: int
    module: str = ""
    backward: bool = False

    def __str__(self) -> str:
        text = f"{os.path.basename(self.file)}:{self.line}"
        if self.module:
            text += f" {self.module}"
        return text + (" (backward)" if self.backward else "")


Origins = frozenset[Origin]
NOWHERE: Origins = frozenset()

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OWN_FOLDERS = tuple(
    os.path.join(_ROOT, folder) + os.sep for folder in ("graphc", "frontend", "passes", "runtime")
)
_PROGRAM_FOLDER = os.path.join("frontend", "cli") + os.sep
"""The demo's model is a user's program, though it is shipped with graphc."""
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_INSTALLED = f"{os.sep}site-packages{os.sep}"

_origins: WeakKeyDictionary[Node, dict[Origin, None]] = WeakKeyDictionary()
_lock = lock_over_forks()


class _Scope(threading.local):
    """What this thread is doing: rewriting for known origins, or running a module."""

    def __init__(self) -> None:
        self.origins: Origins | None = None
        self.modules: list[str] = []


_scope = _Scope()


def user_location() -> Origin | None:
    """The innermost frame outside graphc itself, or None if there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not is_own(frame):
            module = _scope.modules[-1] if _scope.modules else ""
            return Origin(frame.f_code.co_filename, frame.f_lineno, module)
        frame = frame.f_back
    return None


def is_own(frame: FrameType) -> bool:
    """True for a frame of graphc, and of what stands between graphc and its user."""
    file = frame.f_code.co_filename
    return (file.startswith(_OWN_FOLDERS) and _PROGRAM_FOLDER not in file) or _is_in_between(frame)


def _is_in_between(frame: FrameType) -> bool:
    """True for Python's library and for generated methods of graphc's classes."""
    file = frame.f_code.co_filename
    if file.startswith(_STANDARD_LIBRARY):
        return _INSTALLED not in file
    if file.startswith("<"):
        module = str(frame.f_globals.get("__name__", ""))
        return file.startswith("<frozen") or module.split(".")[0] == "graphc"
    return False


def user_location_text() -> str:
    """The user's location as ``file:line`` for an error message, or an empty text."""
    found = user_location()
    return f"{found.file}:{found.line}" if found else ""


def stamp(node: Node) -> None:
    """Note where a node was made: the scope's origins, or the user's current line."""
    origins = _scope.origins
    if origins is None:
        found = user_location()
        origins = frozenset((found,)) if found else NOWHERE
    add_origins(node, origins)


def origins_of(node: Node) -> Origins:
    """The places that a node comes from."""
    return frozenset(_origins.get(node, ()))


def ordered_origins(node: Node) -> tuple[Origin, ...]:
    """The places that a node comes from, the latest last."""
    return tuple(_origins.get(node, ()))


def add_origins(node: Node, origins: Origins) -> None:
    """Add places to those that a node comes from; they become its latest ones."""
    with _lock:
        known = _origins.setdefault(node, {})
        for origin in sorted(origins, reverse=True) if len(origins) > 1 else origins:
            known.pop(origin, None)
            known[origin] = None


def describe(node: Node, limit: int = 3) -> str:
    """The places that a node comes from, the latest first, as one line for people."""
    return describe_places(ordered_origins(node), limit)


def describe_places(origins: Sequence[Origin], limit: int = 3) -> str:
    """Some places, the latest last, as one line for people that begins with the latest."""
    text = "; ".join(map(str, origins[: -limit - 1 : -1]))
    return text + (f"; +{len(origins) - limit} more" if len(origins) > limit else "")


@contextmanager
def made_for(origins: Origins) -> Iterator[None]:
    """Give every node made inside the block these origins instead of the caller's line."""
    before = _scope.origins
    _scope.origins = origins
    try:
        yield
    finally:
        _scope.origins = before


@contextmanager
def running_module(path: str) -> Iterator[None]:
    """Note that the nn.Module with this path is running."""
    _scope.modules.append(path)
    try:
        yield
    finally:
        _scope.modules.pop()


def backward_of(origins: Origins) -> Origins:
    """The same places, marked as reached by autodiff."""
    return frozenset(Origin(o.file, o.line, o.module, backward=True) for o in origins)
