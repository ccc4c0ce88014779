"""The short way into a compiled function: taken where nothing changed, and only there."""

from __future__ import annotations

import gc as collector
import pickle
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.errors import GraphcError
from graphc.frontend.making import concrete
from graphc.runtime.llvm.entry.library import is_available

pytestmark = pytest.mark.skipif(not is_available(), reason="another kind of Python")


class Job:
    """A net and its training step; gradients pile up unless it is told to clear them."""

    def __init__(self, clear: bool) -> None:
        gc.manual_seed(3)
        self.net: Any = nn.Sequential(nn.Linear(3, 5), nn.Dropout(0.25), nn.Tanh(), nn.Linear(5, 2))
        self.optimizer = optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9)
        self.clear = clear
        self.traces = 0

    def step(self, x: Any, y: Any, scale: float = 1.0) -> Any:
        self.traces += 1
        if self.clear:
            self.optimizer.zero_grad()
        loss = F.cross_entropy(self.net(x) * scale, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def values(self) -> dict[str, Any]:
        named = dict(self.net.named_parameters())
        grads = {f"{name}.grad": p.grad for name, p in named.items() if p.grad is not None}
        if self.clear:
            grads = {}  # inside a compiled step these live for one run
        return {name: np.array(p.detach().numpy()) for name, p in (named | grads).items()}


def arguments(number: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(number)
    return gc.tensor(rng.normal(size=(4, 3)).astype(np.float32)), gc.tensor(rng.integers(0, 2, 4))


def first(job: Job) -> Any:
    return job.net[0].weight


def _other_gradient(job: Job) -> None:
    first(job).grad = gc.ones(5, 3)


def _no_gradient(job: Job) -> None:
    first(job).grad = None


def _freeze(job: Job) -> None:
    first(job).requires_grad_(False)
    first(job).grad = None


def _replace(job: Job) -> None:
    job.net[3].bias = nn.Parameter(gc.tensor([1.0, -1.0]))


def _options(job: Job) -> None:
    job.optimizer.param_groups[0].update(lr=0.5, momentum=0.5)


def _written(job: Job) -> None:
    with gc.no_grad():
        first(job).mul_(0.5)


def _state(job: Job) -> None:
    job.net.load_state_dict({k: v * 0.5 for k, v in job.net.state_dict().items()})


CHANGES: dict[str, Callable[[Job], object]] = {
    "nothing": lambda job: None,
    "another gradient": _other_gradient,
    "no gradient": _no_gradient,
    "gradients written": lambda job: first(job).grad is not None and first(job).grad.mul_(0.0),
    "a frozen parameter": _freeze,
    "another parameter": _replace,
    "other options": _options,
    "another option's kind": lambda job: job.optimizer.param_groups[0].update(nesterov=True),
    "evaluation": lambda job: job.net.eval(),
    "a parameter written": _written,
    "loaded state": _state,
    "another seed": lambda job: gc.manual_seed(77),
    "another dtype and back": lambda job: job.net.double().float(),
    "no momentum buffers": lambda job: job.optimizer.state.clear(),
}


def train(job: Job, step: Any, change: Callable[[Job], object], native: Any) -> list[Any]:
    """What five steps before the change and four behind it give."""
    gc.manual_seed(4)
    seen = []
    for number in range(9):
        if number == 5:
            native()
            change(job)
        loss = step(*arguments(number))
        seen.append({"loss": loss.detach().numpy().copy(), **job.values()})
    return seen


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_between_native_calls_is_noticed(change: str, clear: bool) -> None:
    dynamic, static = Job(clear), Job(clear)
    expected = train(dynamic, dynamic.step, CHANGES[change], lambda: None)
    fast = gc.compile(static.step)
    got = train(static, fast, CHANGES[change], lambda: require_native(fast))
    for want, have in zip(expected, got, strict=True):
        assert want.keys() == have.keys()
        for key, value in want.items():
            np.testing.assert_allclose(have[key], value, rtol=2e-5, atol=2e-6, err_msg=key)


def native_runs(fast: Any) -> int:
    session = fast._fast_path.session
    return sum(one.native_runs for one in session._forms._forms.values())


def require_native(fast: Any) -> None:
    before, hits = native_runs(fast), fast.cache_info().hits
    assert before > 0
    assert hits > 0


def test_calls_and_hits_are_counted() -> None:
    fast = gc.compile(lambda x, y: x * 2 + y)
    x, y = gc.ones(3), gc.zeros(3)
    for number in range(1, 8):
        assert fast(x, y).tolist() == [2.0, 2.0, 2.0]
        assert fast.cache_info()[:3] == (number - 1, 1, 1)
    assert native_runs(fast) == 5


def test_other_arguments_find_or_make_their_program() -> None:
    def f(x: Any, scale: Any = 2, *more: Any) -> Any:
        return x * scale + sum(more)

    fast = gc.compile(f)
    a, b = gc.tensor([1.0, -2.0]), gc.tensor([[0.5], [3.0]])
    double, whole = gc.tensor([1.0], dtype=gc.float64), gc.tensor([1, 2])
    calls: list[tuple[Any, ...]] = [
        (a,), (b,), (a, 3), (a, 3.0), (a, a), (a, True), (double,), (whole,), (a, 1, 2),
        (a, 1, 2.5), (np.float32([5, 6]),), (np.arange(2),), (a, np.float32([1, 2])), (a, -0.0),
        (a, 0.0),
        (gc.tensor([1.0, 2.0], requires_grad=True),), (nn.Parameter(a.clone()), 2), (a[::2],),
        (np.ones((3, 2), np.float32).T,),
    ]  # fmt: skip
    for _ in range(3):
        for call in calls:
            for _ in range(4):
                wanted = f(*[gc.tensor(v) if isinstance(v, np.ndarray) else v for v in call])
                found = fast(*call)
                assert found.dtype is wanted.dtype
                assert found.requires_grad == wanted.requires_grad
                np.testing.assert_array_equal(found.detach().numpy(), wanted.detach().numpy())
    alike = 3  # arrays run the programs of tensors like them
    assert fast.cache_info().misses == len(calls) - alike


def test_lists_are_looked_into_each_time() -> None:
    fast = gc.compile(lambda xs, factor: sum(x * factor[0] for x in xs))
    xs, factor = [gc.ones(2)], [2.0]
    for expected in (2.0, 2.0, 2.0):
        assert fast(xs, factor).tolist() == [expected] * 2
    factor[0] = 5.0
    assert fast(xs, factor).tolist() == [5.0] * 2
    xs.append(gc.ones(2))
    assert fast(xs, factor).tolist() == [10.0] * 2


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # by numpy 2.5
def test_an_argument_whose_shape_was_changed_in_place() -> None:
    fast = gc.compile(lambda x: x * 2)
    array = np.ones((2, 3), np.float32)
    for _ in range(4):
        assert fast(array).shape == (2, 3)
    array.shape = (3, 2)
    assert fast(array).shape == (3, 2)


def test_gradient_mode_and_recording() -> None:
    fast = gc.compile(lambda x: x * 2)
    x = gc.ones(2, requires_grad=True)
    for _ in range(4):
        assert fast(x).requires_grad
    with gc.no_grad():
        assert not fast(x).requires_grad
    assert fast(x).requires_grad
    fast(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])
    with gc.Graph() as graph:
        y = gc.placeholder((2,), name="y")
        z = fast(y)
    assert z.is_symbolic
    np.testing.assert_array_equal(graph.compile(outputs=z).run({"y": [1.0, 2.0]}), [2.0, 4.0])


def test_a_symbolic_argument_outside_of_its_graph_is_refused() -> None:
    fast = gc.compile(lambda x: x * 2)
    for _ in range(4):
        fast(gc.ones(2))
    with gc.Graph():
        y = gc.placeholder((2,), name="y")
    with pytest.raises(GraphcError):
        fast(y)


def test_wrong_arguments_and_errors_of_a_run() -> None:
    fast = gc.compile(lambda table, where: F.embedding(where, table))
    table, where = gc.ones(3, 2), gc.tensor([0, 2])
    for _ in range(4):
        fast(table, where)
    with pytest.raises(GraphcError):
        fast(table)
    with pytest.raises(GraphcError):
        fast(table, gc.tensor([0, 3]))
    assert fast(table, where).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_cleared_functions_trace_again() -> None:
    fast = gc.compile(lambda x: x + 1)
    for _ in range(4):
        fast(gc.ones(2))
    fast.cache_clear()
    for _ in range(4):
        assert fast(gc.ones(2)).tolist() == [2.0, 2.0]
    assert fast.cache_info().misses == 2


def test_keywords_take_the_long_way_to_the_same_program() -> None:
    fast = gc.compile(lambda x, scale=2.0: x * scale)
    x = gc.ones(2)
    for _ in range(4):
        fast(x, 3.0)
    for _ in range(3):
        assert fast(x, scale=3.0).tolist() == [3.0, 3.0]
        assert fast(scale=3.0, x=x).tolist() == [3.0, 3.0]
        assert fast(x, 3.0).tolist() == [3.0, 3.0]
    assert fast.cache_info().misses == 1


def test_nothing_leaks() -> None:
    job = Job(clear=True)
    fast = gc.compile(job.step)
    x, y = arguments(0)
    for _ in range(5):
        fast(x, y)
    require_native(fast)
    parameter = first(job)
    counts = [sys.getrefcount(thing) for thing in (x, y, x.storage.array, parameter)]
    collector.collect()
    tracemalloc.start()
    try:
        fast(x, y)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(2000):
            fast(x, y)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000
    later = [sys.getrefcount(thing) for thing in (x, y, x.storage.array, parameter)]
    assert max(abs(a - b) for a, b in zip(counts, later, strict=True)) < 5


def test_threads_share_a_compiled_step() -> None:
    w = gc.zeros(50, requires_grad=True)

    def f(x: Any) -> Any:
        with gc.no_grad():
            w.add_(x)
        return w * 1.0

    fast = gc.compile(f)
    one = gc.ones(50)
    for _ in range(4):
        fast(one)
    seen: list[float] = []

    def work() -> None:
        for _ in range(300):
            values = fast(one).detach().numpy()
            assert (values == values[0]).all()
            seen.append(float(values[0]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(seen) == [float(5 + k) for k in range(1200)]
    assert w.detach().numpy()[0] == 1204


def test_results_are_like_any_other_tensor() -> None:
    fast = gc.compile(lambda x: (x * 2, x.sum()))
    x = gc.ones(3)
    for _ in range(4):
        made = fast(x)
    assert native_runs(fast) > 0
    wanted = concrete(np.zeros(3, np.float32))
    for tensor in made:
        assert type(tensor) is type(wanted)
        for kind in type(wanted).__mro__:
            for name in getattr(kind, "__slots__", ()):
                if name not in ("__weakref__", "__dict__", "storage"):
                    assert getattr(tensor, name) is getattr(wanted, name), name
        assert tensor.storage.version.count == 0
        assert tensor.storage.version is not made[0].storage.version or tensor is made[0]
    tensor, total = made
    assert total.item() == 3.0
    alive = weakref.ref(tensor)
    tensor.note = "users may add attributes"
    tensor.add_(1.0)
    assert tensor.storage.version.count == 1
    assert made[1].storage.version.count == 0
    leaf = tensor.requires_grad_(True)
    (leaf * leaf).sum().backward()
    assert leaf.grad.tolist() == [6.0, 6.0, 6.0]
    del made, tensor, leaf
    collector.collect()
    assert alive() is None


def test_sessions_take_tensors() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((3,), name="x")
        y = x * 2
    session = graph.compile(outputs=y)
    for _ in range(2):
        session.run({"x": gc.ones(3)})
    (chosen,) = session._forms._forms.values()
    for expected in range(1, 4):
        np.testing.assert_array_equal(session.run({"x": gc.full((3,), 2.0)}), np.full(3, 4.0))
        assert chosen.native_runs == expected
    np.testing.assert_array_equal(session.run({x: gc.ones(3)}), np.full(3, 2.0))
    with pytest.raises(GraphcError):
        session.run({"x": gc.ones(3, dtype=gc.float64)})
    with pytest.raises(GraphcError):
        session.run({"x": x})
    copy = pickle.loads(pickle.dumps(session))
    for _ in range(4):
        np.testing.assert_array_equal(copy.run({"x": gc.ones(3)}), np.full(3, 2.0))
    (chosen,) = copy._forms._forms.values()
    assert chosen.native_runs == 2
