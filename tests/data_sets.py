"""Data sets for the tests of loaders: importable by name, so that spawned workers find them."""

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

import graphc as gc
from graphc.utils.data import Dataset, IterableDataset, get_worker_info


class Numbers(Dataset[Any]):
    """Sample i is i; a subclass changes ``read``."""

    def __init__(self, count: int = 20) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.read(index)

    def read(self, index: int) -> Any:
        return index


class Images(Numbers):
    def read(self, index: int) -> Any:
        return {"image": np.full((3, 40, 40), index, np.float32), "name": f"image {index}"}


class Noise(Numbers):
    """Random numbers of all kinds that a sample may be changed by."""

    def read(self, index: int) -> Any:
        return index, random.random(), np.random.rand(), gc.rand(()).item()  # noqa: NPY002


class Slow(Numbers):
    """The first sample takes longer than all others."""

    seconds = 1.0

    def read(self, index: int) -> Any:
        if index == 0:
            time.sleep(self.seconds)
        return index


class Failing(Numbers):
    """Raises one kind of error for one sample."""

    def __init__(self, error: BaseException, at: int = 5) -> None:
        super().__init__()
        self.error, self.at = error, at

    def read(self, index: int) -> Any:
        if index == self.at:
            raise self.error
        return index


class Deadly(Numbers):
    """Ends its process at one sample."""

    def __init__(self, signal_number: int = signal.SIGKILL) -> None:
        super().__init__()
        self.signal_number = signal_number

    def read(self, index: int) -> Any:
        if index == 5 and get_worker_info() is not None:
            if not self.signal_number:
                os._exit(3)
            os.kill(os.getpid(), self.signal_number)
        return index


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True)
class Record:
    values: Any
    name: str


class Everything(Numbers):
    """All that a batch may hold."""

    def read(self, index: int) -> Any:
        frozen = np.arange(100.0) + index
        frozen.flags.writeable = False
        return {
            "point": Point(gc.full((300,), float(index)), [index, "text"]),
            "record": Record(np.arange(200).reshape(10, 20)[:, ::2] + index, "name"),
            "half": np.full((200,), index, ml_dtypes.bfloat16),
            "complex": np.full((70,), index * 1j),
            "bool": np.full((600,), index % 2 == 0),
            "empty": np.zeros((0, 3)),
            "frozen": frozen,
            "number": np.int16(index),
            "bytes": b"abc",
        }


class Stream(IterableDataset[Any]):
    """Whole numbers, shared among the workers; the first worker's part ends early."""

    def __init__(self, count: int = 23, shared: bool = True) -> None:
        self.count, self.shared = count, shared

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        if info is None or not self.shared:
            yield from range(self.count)
        elif info.id == 0:
            yield from range(5)
        else:
            yield from range(5 + info.id - 1, self.count, info.num_workers - 1)

    def __len__(self) -> int:
        return self.count


class Resumable(Stream):
    """A stream that knows where it is, and counts what it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.place = self.read = 0

    def __iter__(self) -> Iterator[Any]:
        numbers = list(super().__iter__())
        while self.place < len(numbers):
            self.place += 1
            self.read += 1
            yield numbers[self.place - 1], self.read, random.random()
        self.place = 0

    def state_dict(self) -> Any:
        return {"place": self.place}

    def load_state_dict(self, state: Any) -> None:
        self.place = state["place"]


class NoisyStream(Stream):
    """Numbers with random ones from the process's generators."""

    def __iter__(self) -> Iterator[Any]:
        for number in super().__iter__():
            yield number, random.random(), np.random.rand()  # noqa: NPY002


def touch(worker: int) -> None:
    """A ``worker_init_fn`` that leaves a file."""
    info = get_worker_info()
    assert info is not None
    assert info.id == worker
    path = os.environ["GRAPHC_TEST_FOLDER"]
    with open(f"{path}/{worker}", "a") as file:
        file.write("x")
