"""Calling modules while recording: nodes learn which module made them, variables their names."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from graphc.frontend.recorder import Recorder
from graphc.provenance import running_module

if TYPE_CHECKING:
    from graphc.frontend.nn.module import Module


class _Running(threading.local):
    """The paths of all modules below the outermost one that this thread is calling."""

    def __init__(self) -> None:
        self.paths: dict[int, str] | None = None


_running = _Running()


def call_recorded(module: Module, recorder: Recorder, args: Any, kwargs: Any) -> Any:
    """Call ``module.forward`` with its path from the outermost module noted on every node."""
    if _running.paths is not None:
        path = _running.paths.get(id(module), type(module).__name__)
        with running_module(path):
            return module.forward(*args, **kwargs)
    paths = {id(each): path for path, each in module.named_modules()}
    _suggest_names(module, recorder)
    _running.paths = paths
    try:
        with running_module(""):
            return module.forward(*args, **kwargs)
    finally:
        _running.paths = None


def _suggest_names(module: Module, recorder: Recorder) -> None:
    for name, parameter in module.named_parameters():
        recorder.suggest_name(parameter, name)
    for name, buffer in module.named_buffers():
        recorder.suggest_name(buffer, name)
