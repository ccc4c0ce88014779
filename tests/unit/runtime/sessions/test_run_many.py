"""``run_many``: the same as a loop of ``run``, in one call."""

import signal

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import float32, float64, int64
from graphc.errors import DTypeError, FeedError, GraphcError, ShapeError
from graphc.graph import Graph
from graphc.ops import elementwise as e
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.runtime.sessions.session import Session
from graphc.storage import Storage
from graphc.types import TensorType
from tests.native_programs import counter, long_program


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_it_is_the_loop(backend: str) -> None:
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((7, 4))

    def make() -> tuple[Session, Storage]:
        storage = Storage(np.zeros(4))
        n = variable("n", TensorType((4,), float64), storage)
        x = placeholder("x", TensorType((4,), float64))
        next_ = e.add(e.mul(n, n), x)
        total = sum_(next_, dims=(0,))
        graph = Graph([x], {"old": n, "total": total}, {n: next_})
        return Session(graph, backend=backend, outputs={"t": ["total"], "o": "old"}), storage

    one, storage_one = make()
    many, storage_many = make()
    wanted = [one.run({"x": row}) for row in rows]
    found = many.run_many({"x": rows})
    np.testing.assert_array_equal(found["o"], [each["o"] for each in wanted])
    np.testing.assert_array_equal(found["t"][0], [each["t"][0] for each in wanted])
    np.testing.assert_array_equal(storage_one.array, storage_many.array)
    assert storage_one.version.count == storage_many.version.count == 7


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_shapes(backend: str, count: int) -> None:
    n = Dim.named("N")
    x = placeholder("x", TensorType((n, 2), float32))
    y = placeholder("y", TensorType((), float32))
    session = Session(Graph([x, y], {"z": e.mul(x, y)}), backend=backend, outputs="z")
    xs, ys = np.ones((count, 5, 2), np.float32), np.arange(count, dtype=np.float32)
    result = session.run_many({"x": xs, "y": ys})
    assert (result.shape, result.dtype) == ((count, 5, 2), np.float32)
    np.testing.assert_array_equal(result, xs * ys[:, None, None])
    lists = session.run_many({"x": list(xs.tolist()), "y": ys}) if count else result
    np.testing.assert_array_equal(lists, result)
    strided = session.run_many({"x": xs[::-1], "y": np.repeat(ys, 2)[::2]})
    np.testing.assert_array_equal(strided, result)


def test_without_inputs() -> None:
    storage = Storage(np.zeros(()))
    n = variable("n", TensorType((), float64), storage)
    one = e.add(e.mul(n, n), cast(e.eq(n, n), dtype=float64))
    session = Session(Graph([], {"old": n}, {n: one}), outputs="old")
    np.testing.assert_array_equal(session.run_many(steps=4), [0, 1, 2, 5])
    with pytest.raises(GraphcError, match="how many"):
        session.run_many()


def test_wrong_feeds() -> None:
    x, y = (placeholder(name, TensorType((2,), float64)) for name in "xy")
    session = Session(Graph([x, y], {"z": e.add(x, y)}))
    good = np.ones((3, 2))
    with pytest.raises(ShapeError, match="4 steps here, but 3 in 'x'"):
        session.run_many({"x": good, "y": np.ones((4, 2))})
    with pytest.raises(ShapeError, match="wrong shape"):
        session.run_many({"x": good, "y": np.ones(2)})
    with pytest.raises(FeedError, match="missing input"):
        session.run_many({"x": good})
    with pytest.raises(GraphcError, match="steps is not"):
        session.run_many({"x": good, "y": good}, steps=2)
    with pytest.raises(DTypeError):
        session.run_many({"x": good.astype(complex), "y": good})


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_an_error_keeps_the_steps_before_it(backend: str) -> None:
    storage = Storage(np.zeros(()))
    n = variable("n", TensorType((), float64), storage)
    where = placeholder("where", TensorType((), int64))
    table = Storage(np.array([1.0, 10.0, 100.0]))
    t = variable("t", TensorType((3,), float64), table)
    session = Session(
        Graph([where], {"n": n}, {n: e.add(n, index(t, where, dims=(0,)))}), backend=backend
    )
    with pytest.raises(GraphcError, match="index"):
        session.run_many({"where": np.array([1, 2, 3, 0])})
    assert storage.array == 110.0
    assert storage.version.count == 2


def test_rows_that_are_the_variables_memory() -> None:
    session, storage = counter(3)
    storage.array = memory = np.arange(9.0).reshape(3, 3)[1]
    rows = memory.base.reshape(3, 3)
    wanted = memory + rows.sum(axis=0)
    session.run_many({"x": rows})
    np.testing.assert_array_equal(storage.array, wanted)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
def test_an_interrupt_comes_between_two_steps() -> None:
    session, storage = long_program()
    session.run()
    session.run()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            session.run_many(steps=20_000)  # far more than a second
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    done = storage.array[0]
    assert 2 < done < 19_000
    assert (storage.array == done).all()
    assert storage.version.count == done
    assert session.run()["old"][0] == done
