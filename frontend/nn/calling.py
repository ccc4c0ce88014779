"""Calling modules: hooks run, and while recording, nodes learn which module made them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.frontend.modes import modes
from graphc.frontend.nn.hooks.calls import call_hooked
from graphc.frontend.nn.hooks.every_module import every_module
from graphc.frontend.recording.recorder import Recorder
from graphc.provenance import running_module

if TYPE_CHECKING:
    from graphc.frontend.nn.module import Module


class _Running(threading.local):
    """The paths of all modules below the outermost one that this thread is calling."""

    def __init__(self) -> None:
        self.paths: dict[int, str] | None = None


_running = _Running()


def call(module: Module, args: Any, kwargs: Any) -> Any:
    """Call ``module.forward`` with hooks around it; while recording, nodes learn its path."""
    has_hooks = module._call_hooks or every_module.calls
    recorder = modes.recorder
    if recorder is None:
        return (
            call_hooked(module, *args, **kwargs) if has_hooks else module.forward(*args, **kwargs)
        )
    forward = functools.partial(call_hooked, module) if has_hooks else module.forward
    return _call_recorded(module, forward, recorder, args, kwargs)


def _call_recorded(
    module: Module, forward: Callable[..., Any], recorder: Recorder, args: Any, kwargs: Any
) -> Any:
    """Call ``forward`` with the module's path from the outermost module noted on every node."""
    if _running.paths is not None:
        path = _running.paths.get(id(module), type(module).__name__)
        with running_module(path):
            return forward(*args, **kwargs)
    paths = {id(each): path for path, each in module.named_modules()}
    _suggest_names(module, recorder)
    _running.paths = paths
    try:
        with running_module(""):
            return forward(*args, **kwargs)
    finally:
        _running.paths = None


def _suggest_names(module: Module, recorder: Recorder) -> None:
    for name, parameter in module.named_parameters():
        recorder.suggest_name(parameter, name)
    for name, buffer in module.named_buffers():
        recorder.suggest_name(buffer, name)
