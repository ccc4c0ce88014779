"""Workers that raise, die or hang, and loaders that end in every way: clear errors, no hang."""

import gc as gc_module
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphc.errors import DTypeError, SessionError, WorkerError, WorkerTimeoutError
from graphc.utils.data import DataLoader, IterableDataset
from tests.data_sets import Deadly, Failing, Images, Numbers, Slow
from tests.sources import ROOT


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = set(os.listdir("/dev/shm")) if Path("/dev/shm").exists() else set()
    yield
    gc_module.collect()
    assert multiprocessing.active_children() == []
    assert (set(os.listdir("/dev/shm")) if Path("/dev/shm").exists() else set()) == before


@pytest.mark.parametrize("kind", [ValueError, KeyError, ZeroDivisionError, DTypeError, OSError])
def test_an_error_keeps_its_kind_and_its_traceback(kind: type[Exception]) -> None:
    loader = iter(DataLoader(Failing(kind("sample 5 is bad")), 2, num_workers=2))
    assert [next(loader).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(kind) as caught:
        next(loader)
    text = str(caught.value)
    assert f"Caught {kind.__name__} in DataLoader worker process 0." in text
    assert "data_sets.py" in text
    assert "sample 5 is bad" in text
    assert "\n" in text, "also a KeyError's"
    assert next(loader).tolist() == [6, 7], "other batches are not lost"


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_end_with_the_loop_that_an_error_left(persistent: bool) -> None:
    """Also while nothing looks for garbage that refers to itself."""
    gc_module.collect()
    gc_module.disable()
    try:
        for _ in range(2):
            with pytest.raises(ValueError, match="bad"):
                list(
                    DataLoader(
                        Failing(ValueError("bad")), num_workers=2, persistent_workers=persistent
                    )
                )
            assert multiprocessing.active_children() == []
    finally:
        gc_module.enable()


class _UncommonError(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(first, second)


def test_an_error_that_cannot_be_made_again_becomes_a_general_one() -> None:
    class LocalError(Exception):
        pass

    for error in (LocalError("bad"), _UncommonError(1, 2), StopIteration("bad")):
        loader = DataLoader(Failing(error, 0), num_workers=1)
        with pytest.raises(WorkerError, match=f"Caught {type(error).__name__}"):
            list(loader)


def test_what_cannot_be_sent_is_an_error() -> None:
    loader = DataLoader(Numbers(2), None, num_workers=1, collate_fn=lambda _: lambda: 0)
    with pytest.raises(Exception, match="in DataLoader worker process 0") as caught:
        list(loader)
    assert "<lambda>" in str(caught.value)


def test_what_cannot_be_sent_to_a_worker_is_an_error() -> None:
    for options in ({"collate_fn": lambda batch: batch}, {"worker_init_fn": lambda worker: None}):
        loader = DataLoader(Numbers(), num_workers=1, multiprocessing_context="spawn", **options)
        with pytest.raises(WorkerError, match="cannot be sent to a worker process"):
            iter(loader)


def test_a_data_set_cannot_end_a_pass_early() -> None:
    with pytest.raises(SessionError, match="raised StopIteration"):
        list(DataLoader(Failing(StopIteration())))


def test_errors_before_the_first_batch() -> None:
    def fails(worker: int) -> None:
        raise ValueError("no such disk")

    with pytest.raises(ValueError, match="no such disk"):
        list(DataLoader(Numbers(), num_workers=2, worker_init_fn=fails))

    class Broken(IterableDataset[int]):
        def __iter__(self) -> Iterator[int]:
            raise LookupError("no stream")

    with pytest.raises(LookupError, match="no stream"):
        list(DataLoader(Broken(), num_workers=2))


@pytest.mark.parametrize("persistent", [False, True])
def test_a_killed_worker_is_an_error_and_the_loader_can_start_again(persistent: bool) -> None:
    data = Deadly()
    loader = DataLoader(data, num_workers=2, persistent_workers=persistent)
    started = time.monotonic()
    with pytest.raises(WorkerError, match=r"pid.*exited unexpectedly") as caught:
        list(loader)
    assert "killed by signal 9" in str(caught.value)
    assert "memory" in str(caught.value)
    assert time.monotonic() - started < 5
    data.signal_number = 0
    with pytest.raises(WorkerError, match="exit code 3"):
        list(loader)
    data.count = 4
    assert [x.item() for x in loader] == [0, 1, 2, 3]
    del loader


def test_a_worker_that_is_killed_from_outside() -> None:
    iterator = iter(DataLoader(Numbers(1000), num_workers=2))
    next(iterator)
    victim = multiprocessing.active_children()[0]
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="signal 9"):
        list(iterator)
    with pytest.raises(WorkerError, match="workers have ended"):
        next(iterator)


def test_a_late_batch_is_an_error_and_may_be_waited_for_again() -> None:
    data = Slow(4)
    data.seconds = 2.0
    iterator = iter(DataLoader(data, num_workers=2, timeout=0.2))
    started = time.monotonic()
    with pytest.raises(WorkerTimeoutError, match=r"timed out after 0\.2 seconds") as caught:
        next(iterator)
    assert 0.15 < time.monotonic() - started < 1.8
    assert isinstance(caught.value, RuntimeError | TimeoutError)
    time.sleep(2.0)
    assert [x.item() for x in iterator] == [0, 1, 2, 3]


def test_a_loader_does_not_wait_for_a_sample_that_takes_forever() -> None:
    data = Slow(4)
    data.seconds = 600.0
    iterator = iter(DataLoader(data, num_workers=2))
    started = time.monotonic()
    del iterator
    assert multiprocessing.active_children() == []
    assert time.monotonic() - started < 4


def test_breaks_and_errors_end_the_workers() -> None:
    for batch in DataLoader(Images(), 2, num_workers=2):
        if batch["image"].sum().item() > 0:
            break
    assert multiprocessing.active_children() == []
    with pytest.raises(ZeroDivisionError):
        [1 / 0 for _ in DataLoader(Images(), 2, num_workers=2)]
    gc_module.collect()
    assert multiprocessing.active_children() == []
    loader = DataLoader(Images(), 2, num_workers=2, persistent_workers=True)
    next(iter(loader))
    assert len(multiprocessing.active_children()) == 2
    del loader
    gc_module.collect()
    assert multiprocessing.active_children() == []


def python(code: str, **options: Any) -> subprocess.Popen[str]:
    """Run code in a process and session of its own, with warnings as errors."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **options,
    )  # fmt: skip


HEAD = """
import json, multiprocessing, os, signal, sys, time
from graphc.utils.data import DataLoader
from tests.data_sets import Images, Slow
def pids():
    return [child.pid for child in multiprocessing.active_children()]
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_ended(pids: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(map(is_running, pids)):
        time.sleep(0.05)
    assert [pid for pid in pids if is_running(pid)] == []


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.parametrize("persistent", [False, True])
def test_an_interpreter_ends_with_iterators_open(start: str, persistent: bool) -> None:
    code = f"""{HEAD}
if __name__ == "__main__":
    loader = DataLoader(Images(), 2, num_workers=2, persistent_workers={persistent},
                        multiprocessing_context="{start}")
    iterator = iter(loader)
    kept = next(iterator)
    print(json.dumps(pids()))
"""
    process = python(code)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    wait_until_ended(json.loads(out), 5)


def test_an_error_of_the_program_ends_the_workers() -> None:
    process = python(f"""{HEAD}
for batch in DataLoader(Images(), 2, num_workers=2):
    print(json.dumps(pids()))
    raise ValueError("of the program")
""")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.rstrip().endswith("ValueError: of the program")
    assert "ResourceWarning" not in err
    wait_until_ended(json.loads(out), 5)


def test_an_interrupt_from_the_keyboard_reaches_the_program_only() -> None:
    process = python(f"""{HEAD}
data = Slow(6)
data.seconds = 2.0
iterator = iter(DataLoader(data, num_workers=2))
print(json.dumps(pids()), flush=True)
try:
    next(iterator)
except KeyboardInterrupt:
    print("interrupted", [x.item() for x in iterator], flush=True)
""")
    assert process.stdout is not None
    pids = json.loads(process.stdout.readline())
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out == "interrupted [0, 1, 2, 3, 4, 5]\n"
    wait_until_ended(pids, 5)


def test_workers_end_when_their_loaders_process_is_killed() -> None:
    process = python(f"""{HEAD}
iterator = iter(DataLoader(Images(), 2, num_workers=2))
print(json.dumps(pids()), flush=True)
time.sleep(600)
""")
    assert process.stdout is not None
    pids = json.loads(process.stdout.readline())
    assert all(map(is_running, pids))
    process.kill()
    process.communicate(timeout=60)
    wait_until_ended(pids, 8)
