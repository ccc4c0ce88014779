"""Recording: updates, gradients, hooks, random numbers, unknown sizes, and clear refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError, RecordingError, SymbolicValueError
from graphc.evaluate import evaluate
from graphc.frontend.graph import Graph, placeholder
from graphc.rebuild import bind_dims
from tests.both_modes import check_both, recorded
from tests.closeness import assert_same


def leaf(value: Any) -> gc.Tensor:
    return gc.tensor(value, dtype=gc.float64, requires_grad=True)


def state(value: Any) -> gc.Tensor:
    made = gc.tensor(value, dtype=gc.float64)
    made.is_state = True
    return made


def run(graph: Graph, outputs: dict[str, gc.Tensor] | None = None, **feed: Any) -> dict[str, Any]:
    """Evaluate the graph and write its updates, as a session does."""
    arrays = {name: np.asarray(value) for name, value in feed.items()}
    program = graph.recorder.program(outputs or {})
    sizes: dict[str, int] = {}
    for node in program.inputs:
        for size, actual in zip(node.type.shape, arrays[node.attrs["name"]].shape, strict=True):
            sizes |= dict.fromkeys(getattr(size, "names", ()), actual)
    values, updates = evaluate(bind_dims(program, sizes), arrays)
    for variable, value in updates.items():
        variable.attrs["source"].write(np.asarray(value))
    for slot in graph.recorder.gradients.concrete_slots:
        slot.publish()
    return values


def both(program: Callable[[], dict[str, gc.Tensor]], *watched: gc.Tensor, runs: int = 3) -> None:
    """Run the program dynamically and recorded, from the same state; results must be equal."""
    start = [x.detach().numpy().copy() for x in watched]
    expected = []
    for _ in range(runs):
        results = program()
        expected.append([x.detach().numpy().copy() for x in (*results.values(), *watched)])
    for x, values in zip(watched, start, strict=True):
        x.storage.write(values)
        x._grad = None
        x.is_state = True
    with Graph() as graph:
        outputs = program()
    for wanted in expected:
        got = run(graph, outputs)
        seen = [*got.values(), *(x.detach().numpy() for x in watched)]
        for one, other in zip(seen, wanted, strict=True):
            assert_same(np.asarray(one), other)


def test_sgd_step_with_a_cleared_gradient() -> None:
    w, x = leaf([1.0, 2.0]), gc.tensor([3.0, 4.0], dtype=gc.float64)

    def step() -> dict[str, gc.Tensor]:
        w.grad = None
        loss = ((w * x).sum() - 1) ** 2
        loss.backward()
        with gc.no_grad():
            w.sub_(0.01 * w.grad)
        return {"loss": loss}

    both(step, w)


def test_gradients_add_up_across_runs() -> None:
    w = leaf([1.0, 2.0])
    with Graph() as graph:
        (w * w).sum().backward()
    run(graph)
    assert w.grad.tolist() == [2.0, 4.0]
    run(graph)
    assert w.grad.tolist() == [4.0, 8.0]


def test_a_gradient_of_zero_is_kept() -> None:
    w = leaf(0.0)
    w.grad = gc.zeros((), dtype=gc.float64)
    memory = w.grad
    with Graph() as graph:
        (w * 3).backward()
    run(graph)
    assert w.grad is memory
    assert w.grad.item() == 3.0


def test_two_backwards_in_one_program() -> None:
    w = leaf([1.0, 2.0])
    with Graph() as graph:
        w.grad = None
        (w * w).sum().backward()
        (w * 3).sum().backward()
        grad = w.grad
    assert run(graph, {"grad": grad})["grad"].tolist() == [5.0, 7.0]


def test_state_is_read_after_it_is_written() -> None:
    count = state([0.0])

    def program() -> dict[str, gc.Tensor]:
        before = count * 1
        count.add_(1)
        during = count * 1
        count.mul_(2)
        return {"before": before, "during": during, "after": count + 0}

    both(program, count)


def test_copy_fill_and_zero() -> None:
    a, b = state([1.0, 2.0]), state([5.0, 6.0])

    def program() -> dict[str, gc.Tensor]:
        a.copy_(b)
        b.fill_(3)
        b.add_(a)
        a.clamp_(min=5.5)
        a.div_(2).sub_(1)
        return {}

    both(program, a, b)


def test_symbolic_tensors_written_in_place() -> None:
    with Graph() as graph:
        x = placeholder((2,), gc.float64, name="x", requires_grad=True)
        y = x * 2
        y.mul_(x)
        y += 1
        (grad,) = gc.grad(y.sum(), x)
    got = run(graph, {"y": y, "grad": grad}, x=[1.0, 3.0])
    assert got["y"].tolist() == [3.0, 19.0]
    assert got["grad"].tolist() == [4.0, 12.0]


def test_writing_a_view_writes_its_tensor() -> None:
    def program() -> dict[str, gc.Tensor]:
        made = gc.arange(6.0, dtype=gc.float64).reshape(2, 3).clone()
        buffer[1:].fill_(3)
        made.t()[1:].add_(buffer)
        made[0] = 7
        made[:, ::2].neg()
        return {"made": made, "buffer": buffer * 1}

    buffer = state([1.0, 2.0])
    both(program, buffer)


def test_views_show_what_is_written_to_their_tensor_later() -> None:
    def program() -> dict[str, gc.Tensor]:
        made = gc.arange(6.0, dtype=gc.float64).reshape(2, 3).clone()
        part, other = made[1:].t(), buffer[0]
        alias = buffer.detach()
        made.mul_(10)
        with gc.no_grad():
            buffer.add_(part.sum())
        copied = gc.zeros(3, 1, dtype=gc.float64)
        copied.copy_(part)
        return {"part": part, "other": other * 1, "alias": alias, "copied": copied}

    buffer = state([1.0, 2.0])
    both(program, buffer)


def test_the_gradient_of_a_view_made_before_a_write_flows_through_the_write() -> None:
    x = leaf([1.0, 2.0, 3.0])
    with Graph() as graph:
        y = x * 1
        view = y[1:]
        y.mul_(x)
        (found,) = gc.grad((view * 2).sum(), x)
    assert run(graph, {"found": found})["found"].tolist() == [0, 8, 12]


def test_one_memory_is_one_variable() -> None:
    buffer = state([0.0, 0.0])
    other = gc.nn.Parameter(buffer.detach(), requires_grad=False)

    def program() -> dict[str, gc.Tensor]:
        buffer.add_(1)
        other.add_(10)
        return {"sum": other.sum(), "first": buffer * 1}

    both(program, buffer, other)
    assert buffer.tolist() == [33.0, 33.0]


def test_overlapping_memory_that_is_written_is_refused() -> None:
    whole = np.zeros(4)
    first, second = gc.from_numpy(whole[:3]), gc.from_numpy(whole[1:])
    first.is_state = second.is_state = True
    with Graph() as graph:
        graph.output(first + second, "read only")
        graph.recorder.program()
        first.add_(1)
        with pytest.raises(RecordingError, match="share some memory"):
            graph.recorder.program()


def accumulation_loop(w: gc.Tensor, optimizer: gc.optim.Optimizer) -> Callable[[Any], Any]:
    def step(x: gc.Tensor) -> gc.Tensor:
        optimizer.step()
        optimizer.zero_grad()
        (w * x).sum().backward()
        return w * 1

    return step


def test_a_gradient_made_after_the_optimizers_step_reaches_the_next_run() -> None:
    results = []
    for execute in (lambda f: f, gc.compile, lambda f: gc.compile(f, backend="numpy")):
        w = gc.nn.Parameter([0.0])
        step = execute(accumulation_loop(w, gc.optim.SGD([w], lr=1.0)))
        results.append([step(gc.tensor([x])).tolist() for x in (1.0, 10.0, 100.0, 1000.0)])
        results[-1].append(w.grad.tolist())
    assert results[0] == [[0.0], [-1.0], [-11.0], [-111.0], [1000.0]]
    assert results[1] == results[2] == results[0]


def test_a_gradient_from_outside_is_read_at_each_run() -> None:
    for execute in (lambda f: f, gc.compile):
        w = gc.nn.Parameter([0.0])
        optimizer = gc.optim.SGD([w], lr=1.0)

        def step(optimizer: gc.optim.Optimizer = optimizer) -> gc.Tensor:
            optimizer.step()
            optimizer.zero_grad()
            return gc.zeros(1)

        fast = execute(step)
        seen = []
        for gradient in (1.0, 10.0, 100.0):
            w.grad = gc.tensor([gradient])
            fast()
            seen.append(w.item())
            assert w.grad is None
        assert seen == [-1.0, -11.0, -111.0]


def test_leaves_of_one_sum_have_gradients_of_their_own() -> None:
    for create_graph in (False, True):
        for execute in (lambda f: f, gc.compile):
            p, q = gc.nn.Parameter([1.0, 2.0]), gc.nn.Parameter([3.0, 4.0])

            def step(p: Any = p, q: Any = q, create_graph: bool = create_graph) -> gc.Tensor:
                p.grad = q.grad = None
                ((p + q) * 10).sum().backward(create_graph=create_graph)
                with gc.no_grad():
                    gc.nn.utils.clip_grad_norm_([p, q], 1.0)
                return p.grad.detach() * 1

            np.testing.assert_allclose(execute(step)().numpy(), [0.5, 0.5], rtol=1e-5)


def test_sessions_of_a_graph_follow_the_gradient_that_is_there() -> None:
    w = gc.nn.Parameter([0.0])
    with gc.Graph() as graph:
        x = gc.placeholder((1,), name="x")
        loss = (w * x).sum()
        loss.backward()
    sessions = [graph.compile(outputs=loss), graph.compile(outputs=loss, backend="numpy")]
    for session in sessions:
        for _ in range(4):  # the fourth is a native call
            session.run({"x": [2.0]})
        assert w.grad.tolist() == [8.0]
        w.grad = None
        session.run({"x": [3.0]})
        assert w.grad.tolist() == [3.0]
        w.grad = gc.tensor([100.0])
        session.run({"x": [1.0]})
        assert w.grad.tolist() == [101.0]
        w.grad = None


def test_hooks_that_come_and_go_are_noticed() -> None:
    w = gc.nn.Parameter([0.0])
    optimizer = gc.optim.SGD([w], lr=1.0)

    def step() -> None:
        optimizer.zero_grad()
        (w * 1).sum().backward()
        optimizer.step()

    fast = gc.compile(step)
    for _ in range(4):
        fast()
    assert w.item() == -4
    handle = w.register_hook(lambda grad: grad * 100)
    fast()
    assert w.item() == -104
    handle.remove()
    fast()
    assert w.item() == -105


def test_placeholder_gradients() -> None:
    with Graph() as graph:
        x = placeholder((2,), gc.float64, name="x", requires_grad=True)
        (x * x).sum().backward()
        grad = x.grad
    assert run(graph, {"grad": grad}, x=[1.0, 2.0])["grad"].tolist() == [2.0, 4.0]


def test_hooks_and_retained_gradients() -> None:
    w = leaf([1.0, 2.0])
    with Graph() as graph:
        w.grad = None
        y = w * 3
        y.retain_grad()
        y.register_hook(lambda g: g * 10)
        w.register_hook(lambda g: g + 1)
        y.sum().backward()
        result = {"w": w.grad, "y": y.grad}
    got = run(graph, result)
    assert got["w"].tolist() == [31.0, 31.0]
    assert got["y"].tolist() == [10.0, 10.0]


def test_removed_hooks_are_not_called() -> None:
    w = leaf([1.0])
    with Graph() as graph:
        y = w * 3
        y.register_hook(lambda g: g * 10).remove()
        (grad,) = gc.grad(y.sum(), w)
    assert run(graph, {"grad": grad})["grad"].tolist() == [3.0]


def test_no_grad_and_detach() -> None:
    w = leaf([2.0])
    with Graph() as graph:
        with gc.no_grad():
            constant = w * 5
        y = w * constant + w.detach() * 7 + w
        (grad,) = gc.grad(y.sum(), w)
        assert not constant.requires_grad
        assert y.requires_grad
    assert run(graph, {"grad": grad})["grad"].tolist() == [11.0]


def test_second_derivatives() -> None:
    w = leaf([2.0])
    with Graph() as graph:
        (first,) = gc.grad((w**3).sum(), w, create_graph=True)
        (second,) = gc.grad(first.sum(), w)
    assert run(graph, {"second": second})["second"].tolist() == [12.0]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: gc.rand(5), lambda: gc.randn(3, 4), lambda: gc.rand(7, dtype=gc.float64),
        lambda: gc.randint(0, 10, (6,)), lambda: gc.bernoulli(gc.full((9,), 0.3)),
        lambda: gc.rand_like(gc.ones(2, 3)) + gc.randn_like(gc.ones(2, 3)),
        lambda: gc.normal(1.0, 2.0, (4,)), lambda: gc.zeros(3).clone().uniform_(-1, 1),
    ],
)  # fmt: skip
def test_random_numbers_are_the_same(draw: Callable[[], gc.Tensor]) -> None:
    gc.manual_seed(7)
    expected = [draw().numpy().copy() for _ in range(3)]
    after = gc.get_rng_state().tolist()
    gc.manual_seed(7)
    with Graph() as graph:
        result = draw()
    assert gc.get_rng_state().tolist() == [7, 0]
    for wanted in expected:
        assert_same(run(graph, {"r": result})["r"], wanted)
    assert gc.get_rng_state().tolist() == after


def test_an_own_generator_is_a_variable_of_its_own() -> None:
    generator = gc.Generator().manual_seed(3)
    expected = [gc.rand(4, generator=generator).numpy().copy() for _ in range(2)]
    generator.manual_seed(3)
    with Graph() as graph:
        result = gc.rand(4, generator=generator)
    for wanted in expected:
        assert_same(run(graph, {"r": result})["r"], wanted)


UNKNOWN: list[tuple[str, Callable[[gc.Tensor], Any]]] = [
    ("reshape", lambda x: x.reshape(-1, 2)),
    ("reshape2", lambda x: x.reshape(x.shape[0], 2, -1)),
    ("flatten", lambda x: x.flatten()),
    ("mean", lambda x: x.mean() + x.mean(0) + x.mean(1, keepdim=True)),
    ("var", lambda x: x.var(0) + x.var(1, keepdim=True)),
    ("std", lambda x: x.std()),
    ("cat", lambda x: gc.cat([x, x * 2, gc.ones(1, 4, dtype=gc.float64)])),
    ("stack", lambda x: gc.stack([x, x])),
    ("arange", lambda x: x.sum(1) + gc.arange(x.shape[0])),
    ("softmax", lambda x: gc.softmax(x, 0) + gc.log_softmax(x, 1)),
    ("logsumexp", lambda x: gc.logsumexp(x, 0)),
    ("matmul", lambda x: (x @ x.T, x.T @ x, x @ gc.ones(4, dtype=gc.float64))),
    ("slices", lambda x: (x[1:], x[:-1], x[-1], x[0], x[::-1], x[:, ::2], x[1:-1])),
    ("index", lambda x: x[gc.tensor([0, 1, 0])] + x[:3, [0, 1, 2, 0]].sum()),
    ("zeros", lambda x: x + gc.zeros(x.shape, dtype=x.dtype) + gc.ones_like(x)),
    ("full", lambda x: gc.full((x.shape[0], 2), 3.5).sum() + x),
    ("expand", lambda x: x.mean(1, keepdim=True).expand(-1, 3)),
    ("squeeze", lambda x: x.unsqueeze(0).squeeze(0).unsqueeze(-1).squeeze(-1)),
    ("max", lambda x: (x.max(1).values, x.argmax(0), x.amax())),
    ("scaled", lambda x: x / x.shape[0] + x.shape[0] * 2),
    ("pad", lambda x: gc.cat([x[:1], x]).flip(0)),
]


@pytest.mark.parametrize(("name", "function"), UNKNOWN, ids=[name for name, _ in UNKNOWN])
@pytest.mark.parametrize("rows", [3, 5])
def test_unknown_sizes(name: str, function: Any, rows: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=(rows, 4))
    now = gc.tensor(x, requires_grad=True)
    expected = function(now)
    expected = expected if isinstance(expected, tuple) else (expected,)
    first = next((y for y in expected if y.requires_grad), None)
    with Graph() as graph:
        later = placeholder((None, 4), gc.float64, name="x", requires_grad=True)
        results = function(later)
        results = results if isinstance(results, tuple) else (results,)
        outputs = {str(i): y for i, y in enumerate(results)}
        symbolic_first = next((y for y in results if y.requires_grad), None)
        if symbolic_first is not None:
            (outputs["grad"],) = gc.grad((symbolic_first * symbolic_first).sum(), later)
    got = run(graph, outputs, x=x)
    for position, wanted in enumerate(expected):
        near = 1e-14 if name == "matmul" else 0.0  # BLAS rounds by the alignment of its operands
        assert_same(
            np.asarray(got[str(position)]), wanted.detach().numpy(), absolute=near, what=name
        )
    if first is not None:
        (grad,) = gc.grad((first * first).sum(), now)
        assert_same(np.asarray(got["grad"]), grad.numpy(), ulps=64, absolute=1e-14, what=name,
                    signed_zero=False)  # fmt: skip


@pytest.mark.parametrize(
    "ask",
    [bool, int, float, lambda x: x.item(), lambda x: x.numpy(), lambda x: x.tolist(), np.asarray,
     lambda x: [1, 2][x], lambda x: 1 if x > 0 else 2, lambda x: x in [1], lambda x: f"{x:.2f}"],
)  # fmt: skip
def test_values_of_symbolic_tensors_are_refused(ask: Callable[[Any], Any]) -> None:
    with Graph():
        x = placeholder((), gc.int64, name="x")
        with pytest.raises(SymbolicValueError) as caught:
            ask(x)
    text = str(caught.value)
    assert "test_recorder.py" in text
    assert "gc.where" in text
    assert "gc.where" in text
    assert "output" in text


def test_iteration_needs_a_known_size() -> None:
    with Graph():
        x = placeholder((None, 2), name="x")
        with pytest.raises(gc.GraphcError, match="known") as caught:
            list(x)
        assert "test_recorder.py" in str(caught.value)
        with pytest.raises(gc.GraphcError, match="size"):
            len(x)
        y = placeholder((2, 2), name="y")
        assert len(list(y)) == 2
        assert len(y) == 2


@pytest.mark.parametrize(
    "ask", [lambda x: x[x > 0], lambda x: x.nonzero(), lambda x: gc.nonzero(x > 0)]
)
def test_shapes_that_depend_on_values_are_refused(ask: Callable[[Any], Any]) -> None:
    with Graph():
        x = placeholder((3,), name="x")
        with pytest.raises(SymbolicValueError) as caught:
            ask(x)
    assert "test_recorder.py" in str(caught.value)


def test_a_tensor_of_another_graph_is_refused() -> None:
    with Graph():
        x = placeholder((2,), name="x")
    with Graph(), pytest.raises(RecordingError, match="another graph"):
        x + placeholder((2,), name="y")


def test_results_outlive_the_with_block() -> None:
    with Graph() as graph:
        x = placeholder((2,), name="x")
    y = x * 2
    assert run(graph, {"y": y}, x=np.ones(2, np.float32))["y"].tolist() == [2.0, 2.0]


def test_a_dynamic_result_on_the_tape_is_refused() -> None:
    y = leaf([1.0]) * 2
    with Graph(), pytest.raises(RecordingError, match="detach"):
        y * 2


def test_captured_by_value_then_written() -> None:
    x = gc.ones(2)
    with Graph() as graph:
        y = x * 2
        with pytest.raises(RecordingError, match="captured"):
            x.add_(1)
    x.add_(5)
    assert run(graph, {"y": y})["y"].tolist() == [2.0, 2.0]


def test_a_leaf_cannot_be_written_while_gradients_are_recorded() -> None:
    w = leaf([1.0])
    with Graph(), pytest.raises(AutogradError, match="no_grad"):
        w.add_(1)


def test_recorded_errors_name_the_users_line() -> None:
    with Graph():
        a, b = placeholder((2, 3), name="a"), placeholder((4,), name="b")
        with pytest.raises(gc.GraphcError) as caught:
            a + b
    assert "test_recorder.py" in str(caught.value)
    assert "f32[2,3]" in str(caught.value)


def test_backward_in_a_recording_needs_a_gradient() -> None:
    with Graph():
        x = placeholder((), name="x")
        with pytest.raises(AutogradError, match="require"):
            x.backward()
        y = placeholder((3,), name="y", requires_grad=True)
        with pytest.raises(AutogradError, match="one element"):
            (y * 2).backward()


def test_names_of_placeholders_are_unique() -> None:
    with Graph():
        placeholder((), name="x")
        with pytest.raises(gc.GraphcError, match="x"):
            placeholder((), name="x")
    with pytest.raises(RecordingError):
        placeholder((), name="x")


def test_programs_of_constants_alone() -> None:
    got = recorded(lambda: gc.arange(3) + gc.ones(3).sum() * gc.eye(3)[0])
    assert got.outputs[0].tolist() == [3.0, 1.0, 2.0]


def test_equal_calls_are_one_node_but_each_has_its_gradient() -> None:
    """Gradients of the calls are multiplied before they are added, as dynamic mode does it."""
    rng = np.random.default_rng(5)

    def twice(x: gc.Tensor, a: gc.Tensor, b: gc.Tensor) -> gc.Tensor:
        return (x.exp() * a + x.exp() * b).sum()

    check_both(twice, *(rng.normal(size=1000) for _ in range(3)))


def test_hooks_of_equal_calls_are_apart() -> None:
    x = gc.ones(2, requires_grad=True)
    with gc.Graph() as graph:
        first, second = x * 2, x * 2
        assert first.node is second.node
        first.register_hook(lambda grad: grad * 10)
        (found,) = gc.grad((first + second).sum(), x)
    session = graph.compile(outputs=found, backend="numpy")
    np.testing.assert_array_equal(session.run(), [22, 22])


def overwrite_before_backward(x: gc.Tensor, w: gc.Tensor) -> None:
    loss = (w * x).sum()
    with gc.no_grad():
        w.mul_(2)
    loss.backward()


def test_a_parameter_overwritten_before_backward_raises_in_both_modes() -> None:
    w = gc.ones(3, requires_grad=True)
    x = gc.ones(3, requires_grad=True)
    with pytest.raises(AutogradError, match="overwritten in place"):
        overwrite_before_backward(x, w)
    with gc.Graph(), pytest.raises(AutogradError, match="overwritten in place"):
        overwrite_before_backward(gc.placeholder((3,), requires_grad=True), w)


def test_a_buffer_takes_no_value_that_requires_a_gradient() -> None:
    w, mean = gc.ones(3, requires_grad=True), gc.nn.Buffer(gc.zeros(3))
    with gc.Graph():
        with pytest.raises(RecordingError, match="a buffer was overwritten"):
            mean.copy_(w * 2)
        mean.copy_((w * 2).detach())


def test_only_what_requires_a_gradient_can_be_differentiated_for() -> None:
    with gc.Graph():
        x = gc.placeholder((3,))
        with pytest.raises(AutogradError, match="does not require a gradient"):
            gc.grad((x * x).sum(), x)


def test_writing_data_writes_the_parameter() -> None:
    def clip_and_use(w: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
        w.data.clamp_(-1, 1)
        data = w.detach()
        data.mul_(3).add_(1)
        return (w * 2).sum(), data

    w, v = leaf([-3.0, 0.5, 2.0]), leaf([-3.0, 0.5, 2.0])
    with Graph() as graph:
        total, data = clip_and_use(w)
    got = run(graph, {"total": total, "data": data})
    total, data = clip_and_use(v)
    assert got["total"] == total.item()
    assert got["data"].tolist() == data.tolist() == w.tolist() == v.tolist()
    assert w.requires_grad


def test_writing_a_part_of_data_writes_the_parameter() -> None:
    w = leaf([1.0, 2.0])
    with Graph() as graph:
        w.data[:1].zero_()
        doubled = w * 2
    assert run(graph, {"doubled": doubled})["doubled"].tolist() == [0.0, 4.0]
    assert w.tolist() == [0.0, 2.0]
    assert w.requires_grad
