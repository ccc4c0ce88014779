"""Where the fields of a pool lie in its memory, and what its state word means.

The state word holds two numbers: how many pieces are still to be claimed, signed, in the upper
half, and how many the caller has claimed from the front in the lower half. One atomic addition
claims a piece and tells at once whether there was one. The fields that describe the work share the
state's cache line, and are written only while no piece of earlier work is unfinished: whoever has
claimed a piece may read them.
"""

from __future__ import annotations

from graphc.runtime.threads import checked_threads

# Written rarely, by whoever has the pool.
BUSY = 0
WORKERS = 8
STARTED = 16

# One line that the caller writes and the workers watch.
STATE = 128
TASK = 136
CONTEXT = 144
UNITS = 152
GRAIN = 160
CONTROL = 168
ASLEEP = 176

# One line that the workers write and the caller watches.
FINISHED = 256
RESULT = 264
WAITING = 268

# For systems where threads sleep by mutex and condition.
MUTEX = 384
CONDITION = 448

# One slot for each worker.
SLOTS = 512
SLOT_BYTES = 128
SLOT_NUMBER = 8
SLOT_THREAD = 16

ONE_PIECE = 1 << 32
"""One unclaimed piece, as the state word counts them."""

MOST_PIECES_LOG = 20
"""A region has at most 2 to this power pieces: more would only be counted."""

PARKED = -(1 << 29)
"""So few pieces to claim say: the step is over, sleep at once."""

STOPPED = -(1 << 30)
"""So few pieces to claim say: end."""


def pool_bytes(threads: int) -> int:
    """The size of a pool of so many threads, the caller's included.

    Raises:
        ArgumentError: if that is no sensible number of threads.
    """
    return SLOTS + (checked_threads(threads) - 1) * SLOT_BYTES
