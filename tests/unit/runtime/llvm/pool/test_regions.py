"""Parallel regions: every unit once, unique workers, results joined, never blocked."""

import os
import threading
import time

import pytest

from graphc.errors import ArgumentError
from graphc.runtime.llvm.pool.pool import Pool, get_pool
from tests.unit.runtime.llvm.pool.tasks import (
    CALLS,
    CLASHES,
    POOL,
    RESULT,
    SUM,
    Context,
    idle,
    new_context,
    parallel_for,
    park,
    repeat,
    task,
)

THREADS = (1, 2, 3, 8)


@pytest.fixture(params=THREADS)
def pool(request: pytest.FixtureRequest) -> Pool:
    return get_pool(request.param)


def sum_of(units: int) -> int:
    return units * (units - 1) // 2


def check(context: Context, sum_expected: int) -> None:
    assert context[SUM] == sum_expected
    assert context[CLASHES] == 0


@pytest.mark.parametrize("units", [1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("grain", [1, 2, 3, 999, 1000, 1001, 1 << 62])
def test_every_unit_is_done_once(pool: Pool, units: int, grain: int) -> None:
    context = new_context()
    assert parallel_for(pool.address, task("task.sum"), context, units, grain) == 0
    check(context, sum_of(units))
    pieces = -(-units // grain)
    assert context[CALLS] in {1, pieces}


@pytest.mark.parametrize("grain", [0, -1, -(1 << 63)])
def test_a_grain_below_one_is_one(grain: int) -> None:
    context = new_context()
    assert parallel_for(get_pool(2).address, task("task.sum"), context, 10, grain) == 0
    check(context, 45)
    assert context[CALLS] == 10


@pytest.mark.parametrize("units", [0, -1, -(1 << 63)])
def test_no_units_are_no_calls(pool: Pool, units: int) -> None:
    context = new_context()
    assert parallel_for(pool.address, task("task.sum"), context, units, 1) == 0
    assert not context.any()


@pytest.mark.parametrize("grain", [1, 1 << 45, 1 << 62])
def test_more_units_than_pieces_can_be_counted(grain: int) -> None:
    units, context = (1 << 63) - 1, new_context()
    assert parallel_for(get_pool(2).address, task("task.count"), context, units, grain) == 0
    assert context[SUM] == units
    assert 2 <= context[CALLS] <= 1 << 20


def test_without_a_pool_the_caller_works_alone() -> None:
    context = new_context()
    assert parallel_for(0, task("task.sum"), context, 1000, 10) == 0
    check(context, sum_of(1000))
    assert context[CALLS] == 1
    park(0)


def test_the_results_are_joined_bit_by_bit(pool: Pool) -> None:
    context = new_context()
    context[RESULT] = 0b1010
    assert parallel_for(pool.address, task("task.sum"), context, 16, 1) == (
        0b1010 if pool.workers else 0
    )
    context[RESULT] = 0
    assert parallel_for(pool.address, task("task.sum"), context, 16, 1) == 0


def test_ten_thousand_regions(pool: Pool) -> None:
    context = new_context()
    for number in range(10):
        assert repeat(pool.address, task("task.sum"), context, 40 + number, 3, 1000) == 0
        if number % 3 == 0:
            park(pool.address)
    check(context, sum(1000 * sum_of(40 + number) for number in range(10)))


def test_regions_of_changing_sizes_from_python(pool: Pool) -> None:
    context = new_context()
    expected = 0
    for number in range(1000):
        units = number * 7919 % 97 + 1
        assert parallel_for(pool.address, task("task.sum"), context, units, number % 5) == 0
        expected += sum_of(units)
        if number % 7 == 0:
            park(pool.address)
    check(context, expected)


def test_two_threads_really_take_part() -> None:
    context = new_context()
    assert repeat(get_pool(2).address, task("task.meet"), context, 2, 1, 200) == 0
    park(get_pool(2).address)
    time.sleep(0.01)
    assert repeat(get_pool(2).address, task("task.meet"), context, 2, 1, 200) == 0


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_several_python_threads_share_a_pool(threads: int) -> None:
    pool = get_pool(threads)
    contexts = [new_context() for _ in range(4)]

    def run(context: Context) -> None:
        for _ in range(20):
            repeat(pool.address, task("task.sum"), context, 50, 3, 200)
            park(pool.address)

    callers = [threading.Thread(target=run, args=(context,)) for context in contexts]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for context in contexts:
        check(context, 20 * 200 * sum_of(50))


def test_a_region_inside_a_region_runs_alone(pool: Pool) -> None:
    context = new_context()
    context[POOL] = pool.address
    assert repeat(pool.address, task("task.nested"), context, 20, 1, 100) == 0
    pieces = 20 if pool.workers else 1
    check(context, 100 * pieces * sum_of(100))


def test_different_pools_nest() -> None:
    context = new_context()
    context[POOL] = get_pool(3).address
    assert repeat(get_pool(2).address, task("task.nested"), context, 20, 1, 100) == 0
    check(context, 100 * 20 * sum_of(100))


@pytest.mark.parametrize("parked", [False, True])
def test_an_idle_pool_uses_no_processor(parked: bool) -> None:
    for threads in (2, 3, 8):
        repeat(get_pool(threads).address, task("task.sum"), new_context(), 100, 1, 10)
        if parked:
            park(get_pool(threads).address)
    assert idle()


def test_threads_start_with_the_first_region_and_end_with_close() -> None:
    pool = get_pool(5)
    pool.close()
    time.sleep(0.05)  # the system counts a thread for a moment after its end
    before = os_threads()
    repeat(pool.address, task("task.sum"), new_context(), 100, 1, 1)
    assert os_threads() == before + 4
    pool.close()
    pool.close()
    assert wait_for_threads(before)
    context = new_context()
    repeat(pool.address, task("task.sum"), context, 100, 1, 100)
    check(context, 100 * sum_of(100))
    pool.close()


def os_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except FileNotFoundError:
        pytest.skip("this system does not list threads")


def wait_for_threads(count: int) -> bool:
    """Whether so many are left soon."""
    for _ in range(100):
        if os_threads() == count:
            return True
        time.sleep(0.01)
    return False


def test_closing_while_others_run() -> None:
    pool = get_pool(3)
    context = new_context()
    caller = threading.Thread(
        target=repeat, args=(pool.address, task("task.sum"), context, 50, 1, 20_000)
    )
    caller.start()
    closings = 0
    while caller.is_alive():
        closings += pool.rest()
    caller.join()
    check(context, 20_000 * sum_of(50))
    pool.close()


@pytest.mark.parametrize("threads", [0, -1, 1025])
def test_a_wrong_number_of_threads(threads: int) -> None:
    with pytest.raises(ArgumentError, match="number of threads"):
        get_pool(threads)
