"""Sources of random numbers: seeds, counts of calls, and going back to a state."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from graphc.dims import Size
from graphc.errors import ArgumentError, RecordingError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.making import concrete
from graphc.frontend.modes import modes
from graphc.frontend.settings.devices import CPU, Device, DeviceLike, require_cpu
from graphc.ops import random as ops
from graphc.provenance import user_location_text
from graphc.storage import Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


class Generator:
    """A source of random numbers: a seed and a count of calls (``torch.Generator``).

    Element ``i`` of call ``c`` under a seed is always the same number, so the same program gives
    the same numbers dynamically and compiled.

    Args:
        device: the CPU.

    Example:
        >>> import graphc as gc
        >>> a = gc.rand(3, generator=gc.Generator().manual_seed(1))
        >>> b = gc.rand(3, generator=gc.Generator().manual_seed(1))
        >>> bool((a == b).all())
        True
    """

    def __init__(self, device: DeviceLike = "cpu") -> None:
        require_cpu(device)
        self.storage = Storage(np.array([0, 0], np.int64))

    @property
    def device(self) -> Device:
        """The CPU."""
        return CPU

    @functools.cached_property
    def state(self) -> Tensor:
        """Seed and count of calls as a tensor over the generator's own memory."""
        state = concrete(self.storage.array)
        state.storage = self.storage
        state.is_state = True
        return state

    def manual_seed(self, seed: int) -> Generator:
        """Start over with this seed.

        Raises:
            RecordingError: while recording: a program continues where the last run ended.
        """
        _require_running("seeded")
        signed = (int(seed) + 2**63) % 2**64 - 2**63
        self.storage.write(np.array([signed, 0], np.int64))
        return self

    def seed(self) -> int:
        """Start over with an unpredictable seed, and return it."""
        chosen = int.from_bytes(os.urandom(8), "little") >> 1
        self.manual_seed(chosen)
        return chosen

    def initial_seed(self) -> int:
        """The seed in use."""
        return int(self.storage.array[0]) % 2**64

    def get_state(self) -> Tensor:
        """Seed and count of calls, as an int64 tensor of size 2.

        Raises:
            RecordingError: while recording, when the state of a run does not exist yet.
        """
        _require_running("asked for its state")
        return concrete(self.storage.array.copy())

    def set_state(self, new_state: Tensor) -> None:
        """Go back to a state that ``get_state`` gave.

        Raises:
            ArgumentError: if it is no such state.
            RecordingError: while recording: a program continues where the last run ended.
        """
        _require_running("set to another state")
        values = require_tensor("set_state", new_state).array("the generator's state")
        if values.shape != (2,) or values.dtype != np.int64:
            raise ArgumentError(
                "set_state: expected int64 of size 2",
                got=str(new_state.type),
                where=user_location_text(),
            )
        self.storage.write(values)

    def clone_state(self) -> Generator:
        """Another generator that goes on from here."""
        twin = Generator()
        twin.set_state(self.get_state())
        return twin

    def bits(self, shape: Sequence[Size]) -> Tensor:
        """32 random bits per element, as int32; counts one call."""
        recorder = modes.recorder
        if recorder is not None:
            return recorder.draw_bits(self, tuple(shape))
        made = ops.random_bits(self.state, call=0, shape=tuple(shape))
        self.storage.array[1] += 1
        self.storage.version.count += 1
        return made


def _require_running(what: str) -> None:
    if modes.recorder is not None:
        raise RecordingError(
            f"a generator was {what} while recording",
            fix="do it before the graph is recorded, or before a compiled function is called",
            where=user_location_text(),
        )


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator (``torch.manual_seed``)."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator unpredictably (``torch.seed``)."""
    return default_generator.seed()


def initial_seed() -> int:
    """The default generator's seed (``torch.initial_seed``)."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state (``torch.get_rng_state``)."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Set the default generator's state (``torch.set_rng_state``)."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Sequence[DeviceLike] | None = None, enabled: bool = True, device_type: str = "cpu"
) -> Iterator[None]:
    """Put the default generator's state back after the block (``torch.random.fork_rng``).

    Args:
        devices: other devices, of which there are none.
        enabled: False does nothing.
        device_type: the CPU.

    Example:
        >>> import graphc as gc
        >>> before = gc.get_rng_state()
        >>> with gc.random.fork_rng():
        ...     x = gc.rand(3)
        >>> bool((gc.get_rng_state() == before).all())
        True
    """
    for device in (*(devices or ()), device_type):
        require_cpu(device)
    if not enabled:
        yield
        return
    before = default_generator.get_state()
    try:
        yield
    finally:
        default_generator.set_state(before)
