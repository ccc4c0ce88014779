"""Settings: an environment variable as the default, a scoped override on top."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from graphc.errors import ArgumentError


@dataclass(frozen=True)
class Flag:
    """An integer or text setting that reads ``GRAPHC_<NAME>`` unless it is overridden.

    Args:
        name: the setting's name without the ``GRAPHC_`` prefix.
        default: the value where neither environment nor override say anything.
        doc: one line for the documentation.

    Example:
        >>> flag = Flag("EXAMPLE", "0", "an example")
        >>> with flag.override("2"):
        ...     flag.number()
        2
    """

    name: str
    default: str
    doc: str
    _override: ContextVar[str | None] = field(
        default_factory=lambda: ContextVar("flag", default=None), repr=False, compare=False
    )

    def text(self) -> str:
        """The setting as text."""
        value = self._override.get()
        return os.environ.get(f"GRAPHC_{self.name}", self.default) if value is None else value

    def number(self) -> int:
        """The setting as a whole number.

        Raises:
            ArgumentError: if the text is no whole number.
        """
        text = self.text()
        try:
            return int(text)
        except ValueError:
            raise ArgumentError(
                f"GRAPHC_{self.name} must be a whole number", got=repr(text)
            ) from None

    @contextmanager
    def override(self, value: str) -> Iterator[None]:
        """Use ``value`` inside the ``with`` block, in this thread or task only."""
        token = self._override.set(value)
        try:
            yield
        finally:
            self._override.reset(token)


CHECK = Flag(
    "CHECK",
    "0",
    "1: verify the graph after every pass; 2: also compare values, and spoil dead memory",
)
CACHE = Flag("CACHE", "1", "0 turns the disk cache of compiled kernels off")
CACHE_DIR = Flag("CACHE_DIR", "", "directory of the disk cache; default: the user cache directory")
ISA = Flag("ISA", "", "instruction set of native code: avx512, avx2 or baseline; default: host")
LLVM_OPT = Flag("LLVM_OPT", "2", "how much LLVM optimizes native code, from 0 to 3")
DISABLE = Flag("DISABLE", "", "names of passes to leave out, separated by commas")
NUM_THREADS = Flag("NUM_THREADS", "", "threads of a session; default: OMP_NUM_THREADS or all")

FLAGS = (CHECK, CACHE, CACHE_DIR, ISA, LLVM_OPT, DISABLE, NUM_THREADS)
