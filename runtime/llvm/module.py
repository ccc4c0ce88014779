"""One module of text IR: its kernels and whatever they share."""

from __future__ import annotations

from collections.abc import Hashable

from graphc.runtime.llvm.native_step import NativeStep
from graphc.runtime.llvm.target import Target

_HEADER = 'source_filename = "graphc"\n'


class Module:
    """Collects declarations, helper functions and kernels; equal ones are kept once.

    Args:
        target: the processor that the code is for.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._declarations: dict[str, str] = {}
        self._definitions: dict[str, str] = {}
        self.kernels: dict[Hashable, NativeStep] = {}
        """Each kernel by what it was made from, so that it is made once."""

    def declare(self, name: str, text: str) -> None:
        """Declare an external function or intrinsic."""
        self._declarations.setdefault(name, text)

    def has(self, name: str) -> bool:
        """Whether a function of that name is defined."""
        return name in self._definitions

    def define(self, name: str, text: str) -> None:
        """Add a function or constant; one that is there already stays."""
        self._definitions.setdefault(name, text)

    def text(self) -> str:
        """The module as text IR."""
        triple = f'target triple = "{self.target.triple}"\n'
        declarations = "\n".join(self._declarations.values())
        definitions = "\n\n".join(self._definitions.values())
        return f"{_HEADER}{triple}\n{declarations}\n\n{definitions}\n"
