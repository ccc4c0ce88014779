"""The collector of cycles rests while anybody asks for it, and works as before afterwards."""

import gc
import os
import threading
from collections.abc import Iterator

import pytest

from graphc.collector import without_collection
from tests.forking import fork_and


@pytest.fixture(params=[True, False], autouse=True)
def enabled(request: pytest.FixtureRequest) -> Iterator[bool]:
    (gc.enable if request.param else gc.disable)()
    yield request.param
    gc.enable()


def test_it_is_as_before_afterwards(enabled: bool) -> None:
    with without_collection():
        assert not gc.isenabled()
        with without_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() is enabled


def test_also_after_an_error(enabled: bool) -> None:
    with pytest.raises(ValueError, match="x"), without_collection():
        raise ValueError("x")
    assert gc.isenabled() is enabled


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_does_not_wait_for_threads_that_it_does_not_have(enabled: bool) -> None:
    inside, leave = threading.Event(), threading.Event()

    def rest() -> None:
        with without_collection():
            inside.set()
            leave.wait(20)

    thread = threading.Thread(target=rest)
    thread.start()
    assert inside.wait(20)
    assert fork_and(lambda: gc.isenabled() is enabled) == 0
    leave.set()
    thread.join()
    assert gc.isenabled() is enabled
