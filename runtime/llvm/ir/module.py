"""One module of text IR: its kernels and whatever they share."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.native_step import NativeStep

_HEADER = 'source_filename = "graphc"\n'
_NONTEMPORAL = "!0 = !{i32 1}\n"
"""What a store's ``!nontemporal !0`` refers to."""


class Module:
    """Collects declarations, helper functions and kernels; equal ones are kept once.

    Args:
        target: the processor that the code is for.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.declarations: dict[str, str] = {}
        self.definitions: dict[str, str] = {}
        self.glue: set[str] = set()
        """Functions on which LLVM need not spend effort: they only call others."""
        self.kernels: dict[Hashable, NativeStep] = {}
        """Each kernel by what it was made from, so that it is made once."""

    def declare(self, name: str, text: str) -> None:
        """Declare an external function or intrinsic."""
        self.declarations.setdefault(name, text)

    def has(self, name: str) -> bool:
        """Whether a function of that name is defined."""
        return name in self.definitions

    def define(self, name: str, text: str, *, glue: bool = False) -> None:
        """Add a function or constant; one that is there already stays.

        Args:
            name: its symbol.
            text: its definition.
            glue: it only calls others, so that LLVM need not spend effort on it.
        """
        self.definitions.setdefault(name, text)
        if glue:
            self.glue.add(name)

    def text(self) -> str:
        """The module as text IR."""
        return self.text_of(self.declarations.values(), self.definitions.values())

    def text_of(self, declarations: Iterable[str], definitions: Iterable[str]) -> str:
        """Some of its declarations and definitions as a module of their own."""
        head = f'{_HEADER}target triple = "{self.target.triple}"\n{_NONTEMPORAL}'
        return "\n\n".join([head, "\n".join(declarations), *definitions]) + "\n"
