"""gc.trace, gc.compile, gc.compare and gc.Graph: one source, two executions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import (
    ArgumentError,
    FeedError,
    RecordingError,
    SymbolicValueError,
)

BACKENDS = ["numpy", "llvm"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def leaf(*values: float) -> Any:
    return gc.tensor(list(values), requires_grad=True)


def test_compile_gives_what_the_function_gives(backend: str) -> None:
    def f(x: Any, y: Any) -> Any:
        return {"sum": x + y, "pair": (x * 2, [y.exp()]), "none": None, "number": 3}

    x, y = gc.tensor([1.0, -2.0]), gc.tensor([0.5, 0.25])
    got, want = gc.compile(f, backend=backend)(x, y), f(x, y)
    assert got.keys() == want.keys()
    np.testing.assert_array_equal(got["sum"].numpy(), want["sum"].numpy())
    assert isinstance(got["pair"], tuple)
    np.testing.assert_allclose(got["pair"][1][0].numpy(), want["pair"][1][0].numpy(), rtol=3e-7)
    assert got["none"] is None
    assert got["number"] == 3


def test_named_tuples_come_back_as_named_tuples() -> None:
    result = gc.compile(lambda x: x.max(dim=0), backend="numpy")(gc.tensor([3.0, 7.0, 5.0]))
    assert result.values.item() == 7.0
    assert result.indices.item() == 1


def test_one_trace_per_signature_with_reasons() -> None:
    calls = []

    def f(x: Any, scale: float = 2.0) -> Any:
        calls.append(x.shape)
        return x * scale

    fast = gc.compile(f, backend="numpy")
    for _ in range(3):
        fast(gc.ones(2))
    fast(gc.ones(3))
    fast(gc.ones(2), scale=3.0)
    fast(gc.ones(2).long())
    assert len(calls) == 4
    info = fast.cache_info()
    assert (info.hits, info.misses, info.size) == (2, 4, 4)
    assert fast(gc.ones(2), scale=3.0).tolist() == [3.0, 3.0]
    assert fast(gc.ones(2), scale=2.0).tolist() == [2.0, 2.0]


def test_int_float_and_bool_arguments_are_told_apart() -> None:
    fast = gc.compile(lambda x, n: x * n, backend="numpy")
    x = gc.tensor([3])
    assert fast(x, 1).dtype is gc.int64
    assert fast(x, 1.0).dtype is gc.float32
    assert fast(x, True).dtype is gc.int64


@pytest.mark.parametrize("clear", ["zero_grad", "zero_"])
def test_gradients_zeroed_in_the_step_do_not_add_up(clear: str, backend: str) -> None:
    p = gc.nn.Parameter(gc.ones(2))
    optimizer = gc.optim.SGD([p], lr=0.1)

    def step(x: Any) -> None:
        if clear == "zero_grad":
            optimizer.zero_grad(set_to_none=False)
        elif p.grad is not None:
            p.grad.zero_()
        (p * x).sum().backward()
        optimizer.step()

    fast = gc.compile(step, backend=backend)
    for calls in range(1, 5):
        fast(gc.ones(2))
        assert p.grad is not None
        assert p.grad.tolist() == [1.0, 1.0]
        np.testing.assert_allclose(p.detach().numpy(), 1 - 0.1 * calls, rtol=1e-6)


def test_zero_and_minus_zero_are_two_arguments() -> None:
    fast = gc.compile(lambda x, k: 1 / (x * k), backend="numpy")
    assert fast(gc.ones(1), -0.0).item() == -np.inf
    assert fast(gc.ones(1), 0.0).item() == np.inf


def test_classes_out_of_range_raise_when_compiled(backend: str) -> None:
    fast = gc.compile(lambda c: gc.nn.functional.one_hot(c, 3), backend=backend)
    assert fast(gc.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(gc.GraphcError, match="out of range"):
        fast(gc.tensor([5, 0]))


def test_freezing_a_parameter_retraces() -> None:
    w, b = leaf(1.0), leaf(1.0)

    def step(x: Any) -> None:
        w.grad = b.grad = None
        (w * x + b).sum().backward()
        with gc.no_grad():
            for p in (w, b):
                if p.grad is not None:
                    p.sub_(p.grad)

    fast = gc.compile(step, backend="numpy")
    fast(gc.ones(1))
    assert (w.tolist(), b.tolist()) == ([0.0], [0.0])
    w.requires_grad_(False)
    fast(gc.ones(1))
    assert (w.tolist(), b.tolist()) == ([0.0], [-1.0])
    assert fast.cache_info().misses == 2


def test_nan_is_one_argument_and_sets_are_none() -> None:
    fast = gc.compile(lambda x, scale: x * scale, backend="numpy")
    for _ in range(2):
        assert np.isnan(fast(gc.ones(1), float("nan")).item())
    assert fast.cache_info().misses == 1
    with pytest.raises(ArgumentError, match="hashable"):
        fast(gc.ones(1), {1, 2})


def test_guards_retrace_when_a_python_value_changes() -> None:
    class Switch:
        on = True

    switch = Switch()

    def f(x: Any) -> Any:
        from graphc.frontend.modes import modes

        recorder = modes.recorder
        on = recorder.guard(lambda: switch.on, "switch.on") if recorder else switch.on
        return x + 1 if on else x - 1

    fast = gc.compile(f, backend="numpy")
    assert fast(gc.zeros(1)).item() == 1
    switch.on = False
    assert fast(gc.zeros(1)).item() == -1
    assert "switch.on was True, is False" in fast.cache_info().reasons[-1]
    switch.on = True
    assert fast(gc.zeros(1)).item() == 1
    assert fast.cache_info().misses == 2


def test_a_compiled_step_trains_like_the_dynamic_one(backend: str) -> None:
    def make() -> tuple[Any, Any]:
        w = leaf(0.5, -0.25)

        def step(x: Any) -> Any:
            w.grad = None
            loss = ((w * x).sum() - 1.0) ** 2
            loss.backward()
            with gc.no_grad():
                w.sub_(w.grad * 0.1)
            return loss

        return w, step

    w1, step1 = make()
    w2, step2 = make()
    fast = gc.compile(step2, backend=backend)
    for k in range(5):
        x = gc.tensor([1.0 + k, 2.0 - k])
        a, b = step1(x), fast(x)
        np.testing.assert_allclose(a.item(), b.item(), rtol=1e-6)
        np.testing.assert_allclose(w1.detach().numpy(), w2.detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(w1.grad.numpy(), w2.grad.numpy(), rtol=1e-5)


def test_gradients_accumulate_over_compiled_calls_as_dynamically(backend: str) -> None:
    w1, w2 = leaf(2.0), leaf(2.0)

    def loss_of(w: Any) -> Any:
        def run(x: Any) -> Any:
            loss = (w * w * x).sum()
            loss.backward()
            return loss

        return run

    fast = gc.compile(loss_of(w2), backend=backend)
    for x in (1.0, 3.0):
        loss_of(w1)(gc.tensor([x]))
        fast(gc.tensor([x]))
        assert w1.grad.tolist() == w2.grad.tolist()
    w1.grad = w2.grad = None
    loss_of(w1)(gc.tensor([5.0]))
    fast(gc.tensor([5.0]))
    assert w1.grad.tolist() == w2.grad.tolist() == [20.0]
    w1.grad, w2.grad = gc.tensor([1.0]), gc.tensor([1.0])
    loss_of(w1)(gc.tensor([5.0]))
    fast(gc.tensor([5.0]))
    assert w1.grad.tolist() == w2.grad.tolist() == [21.0]


def test_no_result_is_tracked_under_no_grad() -> None:
    w = leaf(2.0)
    fast = gc.compile(lambda x: w * x, backend="numpy")
    with gc.no_grad():
        assert not fast(gc.tensor([3.0])).requires_grad
    assert fast(gc.tensor([3.0])).requires_grad


def test_gradients_of_arguments_inside_the_function(backend: str) -> None:
    def f(x: Any) -> Any:
        (first,) = gc.grad((x**3).sum(), x, create_graph=True)
        (second,) = gc.grad(first.sum(), x)
        return first, second

    first, second = gc.compile(f, backend=backend)(leaf(1.0, 2.0))
    np.testing.assert_allclose(first.detach().numpy(), [3.0, 12.0])
    np.testing.assert_allclose(second.detach().numpy(), [6.0, 12.0])


@pytest.mark.parametrize("draw", [gc.rand, gc.randn])
def test_random_numbers_are_the_same_in_both_executions(draw: Any, backend: str) -> None:
    def f() -> Any:
        return draw(5), draw(3, 2)

    gc.manual_seed(11)
    expected = [f() for _ in range(3)]
    after = gc.get_rng_state()
    gc.manual_seed(11)
    fast = gc.compile(f, backend=backend)
    got = [fast() for _ in range(3)]
    for want, have in zip(expected, got, strict=True):
        for a, b in zip(want, have, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert gc.get_rng_state().tolist() == after.tolist()


def test_a_symbolic_truth_value_names_line_and_alternative() -> None:
    def f(x: Any) -> Any:
        if x.sum() > 0:
            return x
        return -x

    with pytest.raises(SymbolicValueError, match=r"gc\.where") as caught:
        gc.compile(f)(gc.ones(2))
    assert "test_compiled.py" in str(caught.value)


@pytest.mark.parametrize("ask", [int, float, bool, lambda t: t.item(), lambda t: t.tolist(), list])
def test_values_of_symbolic_tensors_raise(ask: Any) -> None:
    with gc.Graph():
        x = gc.placeholder((), name="x")
        with pytest.raises((SymbolicValueError, gc.GraphcError)):
            ask(x)


def test_array_arguments_are_accepted_and_results_are_tensors() -> None:
    result = gc.compile(lambda x: x + 1, backend="numpy")(np.arange(3.0, dtype=np.float32))
    assert isinstance(result, gc.Tensor)
    assert result.tolist() == [1.0, 2.0, 3.0]


def test_wrong_arguments_raise_before_tracing() -> None:
    with pytest.raises(FeedError, match="arguments do not fit"):
        gc.compile(lambda x: x)(gc.ones(1), gc.ones(1))


def test_captured_arrays_are_copied_at_trace_time() -> None:
    table = gc.tensor([1.0, 2.0])
    fast = gc.compile(lambda x: x + table, backend="numpy")
    assert fast(gc.zeros(2)).tolist() == [1.0, 2.0]
    table.storage.array[:] = 9.0
    assert fast(gc.zeros(2)).tolist() == [1.0, 2.0]


def test_writing_an_argument_in_place_raises_when_compiled() -> None:
    with pytest.raises(RecordingError, match="written in place"):
        gc.compile(lambda x: x.add_(1), backend="numpy")(gc.ones(2))


def test_writing_a_placeholder_in_place_renames_its_value() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="x")
        x.add_(1)
        graph.output(x * 2, "y")
    session = graph.compile(backend="numpy")
    assert session.run({"x": np.zeros(2, np.float32)})["y"].tolist() == [2.0, 2.0]


def test_results_do_not_alias_each_other_or_later_calls() -> None:
    fast = gc.compile(lambda x: (x, x, x + 0), backend="numpy")
    x = gc.ones(2)
    a, b, c = fast(x)
    a.storage.array[:] = 5.0
    assert b.tolist() == c.tolist() == x.tolist() == [1.0, 1.0]
    kept = fast(gc.ones(2))[2]
    fast(gc.zeros(2))
    assert kept.tolist() == [1.0, 1.0]


def test_trace_with_unknown_sizes_runs_any_size(backend: str) -> None:
    graph = gc.trace(
        lambda x, y: ((x @ y).softmax(-1), x.mean(0)),
        gc.TensorSpec(("batch", 4)),
        gc.TensorSpec((4, None)),
    )
    session = graph.compile(backend=backend)
    for batch, width in [(1, 1), (3, 2), (17, 33), (3, 2)]:
        x = np.random.default_rng(batch).normal(size=(batch, 4)).astype(np.float32)
        y = np.random.default_rng(width).normal(size=(4, width)).astype(np.float32)
        soft, mean = session.run({"x": x, "y": y})
        raised = np.exp(x @ y - (x @ y).max(-1, keepdims=True))
        np.testing.assert_allclose(soft, raised / raised.sum(-1, keepdims=True), rtol=2e-5)
        np.testing.assert_allclose(mean, x.mean(0), rtol=1e-5, atol=1e-6)
    assert session.cache_info().misses == 3


def test_placeholders_need_a_graph() -> None:
    with pytest.raises(RecordingError, match=r"with gc\.Graph"):
        gc.placeholder((1,))


def test_graphs_nest_and_end() -> None:
    with gc.Graph() as outer:
        a = gc.placeholder((1,), name="a")
        with gc.Graph() as inner:
            b = gc.placeholder((1,), name="b")
            inner.output(b * 2, "twice")
        outer.output(a + 1, "more")
    assert not gc.is_recording()
    assert list(inner.outputs) == ["twice"]
    assert list(outer.outputs) == ["more"]


def test_symbolic_tensors_of_two_graphs_do_not_mix() -> None:
    with gc.Graph():
        a = gc.placeholder((1,), name="a")
    with gc.Graph():
        b = gc.placeholder((1,), name="b")
        with pytest.raises(RecordingError, match="another graph"):
            a + b


def test_outputs_as_tensor_list_tuple_dict() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="x")
        y, z = x * 2, x + 1
    feed = {"x": np.array([1.0, 2.0], np.float32)}
    assert graph.compile(y, backend="numpy").run(feed).tolist() == [2.0, 4.0]
    as_list = graph.compile([y, z], backend="numpy").run(feed)
    assert [part.tolist() for part in as_list] == [[2.0, 4.0], [2.0, 3.0]]
    as_dict = graph.compile({"y": y, "z": (z, y)}, backend="numpy").run({x: feed["x"]})
    assert as_dict["z"][0].tolist() == [2.0, 3.0]


def test_lower_stops_at_a_named_pass() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="x")
        graph.output((x * 2).exp().sum(), "y")
    names = [node.op.name for node in graph.lower(to="fuse").nodes]
    assert "fused" in names
    assert "fused" not in [node.op.name for node in graph.lower(to="simplify").nodes]
    with pytest.raises(gc.GraphcError, match="did you mean"):
        graph.lower(to="fusee")


def test_compare_restores_state_and_reports_equality(backend: str) -> None:
    w = leaf(1.0, 2.0)
    gc.manual_seed(3)
    before = gc.get_rng_state().tolist()

    def step(x: Any) -> Any:
        w.grad = None
        loss = (w * x * (gc.rand(2) > 0.5).float()).sum()
        loss.backward()
        with gc.no_grad():
            w.sub_(w.grad * 0.1)
        return loss

    report = gc.compare(gc.compile(step, backend=backend), gc.tensor([3.0, 4.0]), repeats=2)
    assert w.tolist() == [1.0, 2.0]
    assert w.grad is None
    assert gc.get_rng_state().tolist() == before
    assert report.max_ulp <= 2
    assert report.compared >= 3
    assert "speed-up" in str(report)


def test_compare_sees_a_difference() -> None:
    from graphc.frontend.modes import is_recording

    report = gc.compare(
        gc.compile(lambda x: x + (1.0 if is_recording() else 2.0), backend="numpy"), gc.zeros(3),
        repeats=1,
    )  # fmt: skip
    assert report.max_abs == 1.0
    assert report.worst == "output output"


def test_a_kept_gradient_is_not_written_by_later_runs(backend: str) -> None:
    w = leaf(1.0, 2.0)
    fast = gc.compile(lambda x: (w * x).sum().backward(), backend=backend)
    fast(gc.tensor([3.0, 4.0]))
    kept, view = w.grad, w.grad.detach()
    w.grad = None
    fast(gc.tensor([5.0, 6.0]))
    fast(gc.tensor([5.0, 6.0]))
    assert kept.tolist() == view.tolist() == [3.0, 4.0]
    assert w.grad.tolist() == [10.0, 12.0]


def test_compare_tells_compiling_only_where_it_did_it() -> None:
    fast = gc.compile(lambda x: x * 2, backend="numpy")
    first, again = (gc.compare(fast, gc.ones(3), repeats=1) for _ in range(2))
    assert first.trace_seconds is not None
    assert str(first).endswith(" ms")
    assert again.trace_seconds is None
    assert str(again).endswith("before")
