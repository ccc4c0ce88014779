"""RNN, LSTM and GRU against a plain recurrence in numpy, in every form in which they are called."""

import copy
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import GraphcError
from graphc.nn.utils import rnn

Array = Any
State = list[Array]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def next_state(layer: Any, weights: dict[str, Array], x: Array, state: State) -> State:
    """One step of one sequence, as the books write it."""
    zeros = np.zeros(len(weights["ih"]))
    of_input = weights["ih"] @ x + weights.get("bias_ih", zeros)
    of_state = weights["hh"] @ state[0] + weights.get("bias_hh", zeros)
    if layer.mode == "GRU":
        (r, z, n), (hr, hz, hn) = of_input.reshape(3, -1), of_state.reshape(3, -1)
        update = sigmoid(z + hz)
        return [(1 - update) * np.tanh(n + sigmoid(r + hr) * hn) + update * state[0]]
    if layer.mode == "LSTM":
        i, f, g, o = (of_input + of_state).reshape(4, -1)
        cell = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        return [weights["hr"] @ hidden if "hr" in weights else hidden, cell]
    total = of_input + of_state
    return [np.tanh(total) if layer.mode == "RNN_TANH" else np.maximum(total, 0)]


def by_hand(layer: Any, sequence: Array, state: State) -> tuple[Array, State]:
    """A sequence ``(length, size)`` through all layers; states: ``(layers * directions, size)``."""
    values = {name: x.detach().numpy() for name, x in layer.named_parameters()}
    outputs, last = sequence, []
    for number in range(layer.num_layers):
        made = []
        for end in ("", "_reverse")[: 2 if layer.bidirectional else 1]:
            suffix = f"_l{number}{end}"
            weights = {
                name.removesuffix(suffix).removeprefix("weight_"): value
                for name, value in values.items()
                if name.endswith(suffix)
            }
            now = [part[len(last)] for part in state]
            found = []
            for x in outputs[::-1] if end else outputs:
                now = next_state(layer, weights, x, now)
                found.append(now[0])
            made.append(np.array(found[::-1] if end else found))
            last.append(now)
        outputs = np.concatenate(made, axis=1)
    return outputs, [np.array(part) for part in zip(*last, strict=True)]


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bidirectional": True}),
    ("GRU", {}),
    ("GRU", {"bias": False, "batch_first": True, "num_layers": 2}),
    ("GRU", {"bidirectional": True}),
    ("LSTM", {}),
    ("LSTM", {"bias": False, "bidirectional": True, "batch_first": True}),
    ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
]
NAMES = [f"{name}-{number}" for number, (name, _) in enumerate(FORMS)]


def layer_of(name: str, **options: Any) -> Any:
    gc.manual_seed(0)
    made = getattr(nn, name)(3, 4, dtype=gc.float64, **options)
    for parameter in made.parameters():
        nn.init.uniform_(parameter, -1, 1)
    return made


def states_of(layer: Any, batch: int, rng: np.random.Generator) -> State:
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    sizes = [layer.proj_size or 4, 4][: 2 if layer.mode == "LSTM" else 1]
    return [rng.normal(size=(count, batch, size)) for size in sizes]


def as_hx(state: State) -> Any:
    tensors = tuple(gc.tensor(part) for part in state)
    return tensors if len(tensors) > 1 else tensors[0]


def parts(last: Any) -> list[Array]:
    return [x.detach().numpy() for x in (last if isinstance(last, tuple) else (last,))]


@pytest.mark.parametrize(("name", "options"), FORMS, ids=NAMES)
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("steps", [1, 5])
def test_sequences(name: str, options: dict[str, Any], compiled: bool, steps: int) -> None:
    rng = np.random.default_rng(1)
    layer = layer_of(name, **options)
    x, state = rng.normal(size=(steps, 2, 3)), states_of(layer, 2, rng)
    given = gc.tensor(x.swapaxes(0, 1) if layer.batch_first else x)
    run = gc.compile(layer) if compiled else layer
    for start in (state, None):
        outputs, last = run(given, as_hx(start)) if start else run(given)
        outputs = outputs.detach().numpy()
        outputs = outputs.swapaxes(0, 1) if layer.batch_first else outputs
        for at in range(2):
            begin = [part[:, at] * (start is not None) for part in state]
            expected, after = by_hand(layer, x[:, at], begin)
            np.testing.assert_allclose(outputs[:, at], expected, atol=1e-12)
            for found, wanted in zip(parts(last), after, strict=True):
                np.testing.assert_allclose(found[:, at], wanted, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), FORMS, ids=NAMES)
@pytest.mark.parametrize(
    ("compiled", "lengths"),
    [(False, [5, 3, 3, 1]), (False, [3, 3, 3, 3]), (False, [2, 4, 1, 4]), (True, [2, 4, 1, 4])],
)
def test_packed(name: str, options: dict[str, Any], compiled: bool, lengths: list[int]) -> None:
    rng = np.random.default_rng(2)
    layer = layer_of(name, **options)
    sequences = [rng.normal(size=(length, 3)) for length in lengths]
    packed = rnn.pack_sequence([gc.tensor(x) for x in sequences], enforce_sorted=False)
    state = states_of(layer, 4, rng)
    run = gc.compile(layer) if compiled else layer
    outputs, last = run(packed, as_hx(state))
    assert isinstance(outputs, rnn.PackedSequence)
    for at, made in enumerate(rnn.unpack_sequence(outputs)):
        expected, after = by_hand(layer, sequences[at], [part[:, at] for part in state])
        np.testing.assert_allclose(made.detach().numpy(), expected, atol=1e-12)
        for found, wanted in zip(parts(last), after, strict=True):
            np.testing.assert_allclose(found[:, at], wanted, atol=1e-12)


def scans(program: Any) -> list[Any]:
    return [node for node in program.nodes if node.op.name == "scan"]


@pytest.mark.parametrize(("name", "options"), FORMS, ids=NAMES)
def test_programs_do_not_grow_with_the_length(name: str, options: dict[str, Any]) -> None:
    layer = layer_of(name, **options)

    def step(x: gc.Tensor) -> gc.Tensor:
        outputs, _ = layer(x)
        loss: gc.Tensor = outputs.square().mean()
        loss.backward()
        return loss

    counts = []
    for length in (4, 9):
        shape = (2, length, 3) if layer.batch_first else (length, 2, 3)
        graph = gc.trace(step, gc.TensorSpec(shape, gc.float64))
        program = graph.recorder.program({"loss": graph.structure})
        counts.append((len(program.nodes), len(scans(program))))
    directions = layer.num_layers * (2 if layer.bidirectional else 1)
    assert counts[0] == counts[1]
    assert directions < counts[0][1] <= 3 * directions


def test_packed_programs_are_one_scan_per_layer() -> None:
    layer = layer_of("LSTM", num_layers=2)

    def forward(x: gc.Tensor) -> gc.Tensor:
        outputs, _ = layer(rnn.pack_padded_sequence(x, [9, 5, 2]))
        made: gc.Tensor = outputs.data
        return made

    graph = gc.trace(forward, gc.TensorSpec((9, 3, 3), gc.float64))
    assert len(scans(graph.recorder.program({"y": graph.structure}))) == 2


@pytest.mark.parametrize(("name", "options"), FORMS, ids=NAMES)
def test_lengths_that_only_the_run_knows(name: str, options: dict[str, Any]) -> None:
    """One program for all lengths, which never reads what is behind them."""
    rng = np.random.default_rng(5)
    layer = layer_of(name, **options)
    state = states_of(layer, 3, rng)
    x = rng.normal(size=(4, 3, 3))

    def step(x: gc.Tensor, lengths: Any) -> list[gc.Tensor]:
        layer.zero_grad()
        at = 0 if layer.batch_first else 1
        packed = rnn.pack_padded_sequence(x.transpose(0, 1 - at), lengths, at == 0, False)
        outputs, last = layer(packed, as_hx(state))
        padded, _ = rnn.pad_packed_sequence(outputs, total_length=4)
        (padded.square().sum() + last[0].sum()).backward()
        return [padded, *(last if isinstance(last, tuple) else (last,)), x.grad]

    run = gc.compile(step)
    for lengths in ([4, 2, 3], [1, 4, 1]):
        data = x.copy()
        for at, length in enumerate(lengths):
            data[length:, at] = np.nan
        expected = step(gc.tensor(data, requires_grad=True), lengths)
        grads = [p.grad.numpy() for p in layer.parameters()]
        found = run(gc.tensor(data, requires_grad=True), gc.tensor(lengths))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), atol=1e-12)
        for parameter, wanted in zip(layer.parameters(), grads, strict=True):
            assert np.isfinite(wanted).all()
            np.testing.assert_allclose(parameter.grad.numpy(), wanted, atol=1e-12)
    assert run.cache_info().misses == 1


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_sizes_that_only_the_run_knows(name: str) -> None:
    layer = layer_of(name, bidirectional=True)
    graph = gc.trace(lambda x: layer(x)[0], gc.TensorSpec((None, "batch", 3), gc.float64, "x"))
    assert len(scans(graph.recorder.program({"y": graph.structure}))) == 2
    for backend in ("numpy", "llvm"):
        session = graph.compile(backend=backend)
        for shape in ((5, 2, 3), (1, 1, 3), (7, 4, 3)):
            x = np.random.default_rng(0).normal(size=shape)
            expected = layer(gc.tensor(x))[0].detach().numpy()
            np.testing.assert_allclose(session.run({"x": x}), expected, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), FORMS, ids=NAMES)
def test_gradients_of_two_orders(name: str, options: dict[str, Any]) -> None:
    layer = layer_of(name, **options)
    rng = np.random.default_rng(3)
    x, state = rng.normal(size=(2, 2, 3)), states_of(layer, 2, rng)
    leaves = [gc.tensor(part, requires_grad=True) for part in (x, *state)]

    def function(x: gc.Tensor, *state: gc.Tensor) -> Any:
        outputs, last = layer(x, state if len(state) > 1 else state[0])
        return outputs, *(last if isinstance(last, tuple) else (last,))

    assert gc.autograd.gradcheck(function, leaves)
    if "nonlinearity" not in options and layer.num_layers == 1:
        assert gc.autograd.gradgradcheck(function, leaves)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_training_is_the_same_in_both_executions(name: str) -> None:
    rng = np.random.default_rng(4)
    x, y = (gc.tensor(rng.normal(size=(6, 3, n)).astype(np.float32)) for n in (3, 4))
    losses = []
    for compiled in (False, True):
        gc.manual_seed(1)
        layer = getattr(nn, name)(3, 4, num_layers=2, dropout=0.3)
        optimizer = gc.optim.Adam(layer.parameters(), lr=0.02)

        def step(
            x: gc.Tensor, y: gc.Tensor, layer: Any = layer, optimizer: Any = optimizer
        ) -> gc.Tensor:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(layer(x)[0], y)
            loss.backward()
            optimizer.step()
            return loss

        run = gc.compile(step) if compiled else step
        losses.append([run(x, y).item() for _ in range(20)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-4)
    assert losses[0][-1] < 0.98 * losses[0][0]


def test_dropout_is_between_layers_and_in_training_alone() -> None:
    layer = layer_of("GRU", num_layers=2, dropout=1.0)
    x = gc.tensor(np.random.default_rng(0).normal(size=(4, 2, 3)))
    outputs, last = layer(x)
    second = {name: p for name, p in layer.named_parameters() if "_l1" in name}
    alone = layer_of("GRU", num_layers=1)
    first = dict(alone.named_parameters())
    with gc.no_grad():
        for name in ("weight_hh", "bias_ih", "bias_hh"):
            first[f"{name}_l0"].copy_(second[f"{name}_l1"])
    np.testing.assert_allclose(  # the second layer reads zeros
        outputs.detach().numpy(), alone(gc.zeros(4, 2, 3, dtype=gc.float64))[0].detach().numpy()
    )
    layer.eval()
    assert not np.allclose(layer(x)[0].detach().numpy(), outputs.detach().numpy())
    assert last.shape == (2, 2, 4)


def test_parameters() -> None:
    layer = nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2)
    assert layer.flatten_parameters() is None
    assert [[p.shape for p in group] for group in layer.all_weights] == [
        [(16, size), (16, 2), (16,), (16,), (2, 4)] for size in (3, 3, 4, 4)
    ]
    assert all(
        one is other
        for one, other in zip(chain(*layer.all_weights), layer.parameters(), strict=True)
    )
    assert max(float(p.abs().max()) for p in layer.parameters()) <= 0.5
    assert len({float(p.sum()) for p in layer.parameters()}) == 20
    again = copy.deepcopy(layer)
    x = gc.randn(3, 2, 3)
    np.testing.assert_array_equal(again(x)[0].detach().numpy(), layer(x)[0].detach().numpy())
    again.weight_hh_l1 = nn.Parameter(gc.zeros(16, 2))
    assert not np.array_equal(again(x)[0].detach().numpy(), layer(x)[0].detach().numpy())


WRONG: dict[str, Callable[[], object]] = {
    "mode": lambda: nn.RNNBase("lstm", 1, 2),
    "nonlinearity": lambda: nn.RNN(1, 2, nonlinearity="gelu"),
    "projection": lambda: nn.GRU(1, 2, proj_size=1),
    "size": lambda: nn.GRU(0, 2),
    "states": lambda: nn.GRU(3, 4)(gc.zeros(2, 2, 3), gc.zeros(1, 1, 4)),
    "one state": lambda: nn.LSTM(3, 4)(gc.zeros(2, 2, 3), gc.zeros(1, 2, 4)),  # type: ignore[call-overload]
    "no steps": lambda: nn.RNN(3, 4)(gc.zeros(0, 2, 3)),
    "functional": lambda: gc.gru(gc.zeros(2, 2, 3), gc.zeros(1, 2, 4)),
    "too few": lambda: gc.gru(gc.zeros(2, 2, 3), gc.zeros(1, 2, 4), [gc.zeros(12, 3)], True, 1, 0.0,
                              False, False, False),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_the_line(name: str) -> None:
    with pytest.raises(GraphcError, match=r"test_recurrent\.py"):
        WRONG[name]()


def test_no_steps_that_only_the_run_knows() -> None:
    layer = layer_of("GRU")
    graph = gc.trace(lambda x: layer(x)[0], gc.TensorSpec((None, 2, 3), gc.float64, "x"))
    assert graph.compile().run({"x": np.zeros((0, 2, 3))}).shape == (0, 2, 4)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_of_each_example(name: str, compiled: bool) -> None:
    layer = layer_of(name, bidirectional=True)
    x = gc.tensor(np.random.default_rng(6).normal(size=(4, 3, 3)))
    weights = {path: p.detach() for path, p in layer.named_parameters()}

    def loss(weights: dict[str, gc.Tensor], x: gc.Tensor) -> gc.Tensor:
        outputs, _ = gc.func.functional_call(layer, weights, (x,))
        made: gc.Tensor = outputs.square().sum()
        return made

    def all_at_once(weights: dict[str, gc.Tensor], x: gc.Tensor) -> dict[str, gc.Tensor]:
        made: dict[str, gc.Tensor] = gc.vmap(gc.func.grad(loss), in_dims=(None, 1))(weights, x)
        return made

    found = (gc.compile(all_at_once) if compiled else all_at_once)(weights, x)
    for at in range(3):
        expected = gc.func.grad(loss)(weights, x[:, at])
        for path, grad in found.items():
            np.testing.assert_allclose(grad[at].numpy(), expected[path].numpy(), atol=1e-12)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_forward_mode(name: str) -> None:
    layer = layer_of(name)
    rng = np.random.default_rng(7)
    x, direction = (gc.tensor(rng.normal(size=(4, 2, 3))) for _ in range(2))
    _, slope = gc.func.jvp(lambda x: layer(x)[0], (x,), (direction,))
    ahead, behind = (layer(x + step * direction)[0] for step in (1e-6, -1e-6))
    np.testing.assert_allclose(
        slope.detach().numpy(), ((ahead - behind) / 2e-6).detach().numpy(), atol=1e-8
    )


def test_parametrized_weights() -> None:
    layer = layer_of("GRU")
    plain = copy.deepcopy(layer)
    normed = nn.utils.parametrizations.weight_norm(layer, "weight_hh_l0")
    x = gc.randn(4, 2, 3, dtype=gc.float64)
    expected = plain(x)[0].detach().numpy()
    np.testing.assert_allclose(normed(x)[0].detach().numpy(), expected, atol=1e-12)
    normed.parametrizations.weight_hh_l0.original0 = nn.Parameter(gc.ones(12, 1, dtype=gc.float64))
    for run in (normed, gc.compile(normed)):
        made = run(x)[0]
        assert not np.allclose(made.detach().numpy(), expected)
