"""Native code that runs a program many times, with inputs and outputs that move on."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence

import numpy as np

from graphc.runtime.backend import NativeProgram
from graphc.runtime.llvm.entry.library import address
from graphc.storage import Array

_Function = Callable[[int, int, int, int, int, int], int]


class Steps:
    """Runs of one program over rows of stacked arrays.

    Args:
        program: the program; its table is used by one thread at a time.
        moving: slots of the table, and the C-contiguous arrays whose rows go there; no array is
            without rows.
    """

    def __init__(self, program: NativeProgram, moving: Sequence[tuple[int, Array]]) -> None:
        self._program, self._kept = program, moving
        table = ctypes.addressof(program.table)
        words = [
            (table + 8 * slot, array.ctypes.data, array.nbytes // len(array))
            for slot, array in moving
        ]
        self._moves = np.array([*words, (0, 0, 0)], np.uint64)
        self._done = ctypes.c_int64(0)

    @property
    def done(self) -> int:
        """How many runs came to an end; up to date whatever interrupts Python."""
        return self._done.value

    def run(self, stop: int) -> bool:
        """Go on until so many are done; False if the next one refuses its data."""
        refused = _function()(
            self._program.address,
            ctypes.addressof(self._program.table),
            self._moves.ctypes.data,
            len(self._moves) - 1,
            ctypes.addressof(self._done),
            stop,
        )
        return not refused


@functools.cache
def _function() -> _Function:
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, pointer, pointer, number, pointer, number)
    made: _Function = kind(address("steps"))
    return made
