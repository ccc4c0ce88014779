"""Modules while recording: the same values, for any batch, and guards, names and updates."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn
from graphc.provenance import origins_of

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(4, 3),
    "activations": lambda: nn.Sequential(
        nn.ReLU(), nn.SiLU(), nn.GELU(), nn.GELU("tanh"), nn.LeakyReLU(), nn.Softplus(),
        nn.LogSigmoid(), nn.Tanh(), nn.Sigmoid(), nn.LogSoftmax(-1), nn.Softmax(0),
    ),
    "inplace": lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True), nn.SiLU(True)),
    "dropout": lambda: nn.Sequential(nn.Dropout(0.3), nn.Linear(4, 4), nn.Dropout(inplace=True)),
    "batch_norm": lambda: nn.BatchNorm1d(4),
    "batch_norm_average": lambda: nn.BatchNorm1d(4, momentum=None),
    "batch_norm_no_stats": lambda: nn.BatchNorm1d(4, track_running_stats=False),
    "layer_norm": lambda: nn.LayerNorm(4),
    "embedding": lambda: nn.Sequential(nn.Embedding(9, 4, padding_idx=1), nn.Flatten()),
}  # fmt: skip


def values(rng: np.random.Generator, layer: nn.Module, batch: int) -> np.ndarray:
    if isinstance(next(layer.modules()), nn.Sequential) and isinstance(layer[0], nn.Embedding):
        return rng.integers(0, 9, (batch, 3))
    return rng.normal(size=(batch, 4)).astype(np.float32)


def state_of(layer: nn.Module) -> dict[str, Any]:
    return {key: value.numpy().copy() for key, value in layer.state_dict().items()}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_recorded_equals_dynamic_for_any_batch(
    name: str, training: bool, rng: np.random.Generator
) -> None:
    layer = LAYERS[name]().train(training)
    start, dtype = layer.state_dict(), values(rng, layer, 1).dtype.name
    start = {key: value.clone() for key, value in start.items()}
    shape = (None, *values(rng, layer, 1).shape[1:])
    graph = gc.trace(layer, gc.TensorSpec(shape, dtype, name="x"))
    session = graph.compile(backend="numpy", optimize="O0")
    for batch in (5, 2, 7):
        x = values(rng, layer, batch)
        outcomes = []
        for run in (
            lambda x: session.run({"x": x}),
            lambda x: layer(gc.tensor(x)).detach().numpy(),
        ):
            layer.load_state_dict(start)
            gc.manual_seed(batch)
            outcomes.append((run(x), state_of(layer), gc.get_rng_state().tolist()))
        (out, state, rng_state), (expected, expected_state, expected_rng) = outcomes
        np.testing.assert_array_equal(out, expected, strict=True)
        assert rng_state == expected_rng
        for key, value in expected_state.items():
            np.testing.assert_array_equal(state[key], value, strict=True)


@pytest.mark.parametrize("loss", ["cross_entropy", "smoothed", "soft", "mse", "bce", "nll"])
def test_losses_with_unknown_batch(loss: str, rng: np.random.Generator) -> None:
    weight = gc.tensor([1.0, 2.0, 0.5])

    def compute(x: Any, y: Any, p: Any) -> Any:
        if loss == "cross_entropy":
            return F.cross_entropy(x, y, weight, ignore_index=1)
        if loss == "smoothed":
            return F.cross_entropy(x, y, label_smoothing=0.1)
        if loss == "soft":
            return F.cross_entropy(x, p, weight, label_smoothing=0.1)
        if loss == "mse":
            return nn.MSELoss()(x, p)
        if loss == "bce":
            return F.binary_cross_entropy_with_logits(x, p, pos_weight=weight)
        return F.nll_loss(F.log_softmax(x, 1), y, reduction="sum")

    def both(x: Any, y: Any, p: Any) -> Any:
        total = compute(x, y, p)
        return total, gc.grad(total, x)[0]

    with gc.Graph() as graph:
        inputs = (
            gc.placeholder(("n", 3), name="x", requires_grad=True),
            gc.placeholder(("n",), gc.int64, name="y"),
            gc.placeholder(("n", 3), name="p"),
        )
        outputs = both(*inputs)
    session = graph.compile(outputs, backend="numpy")
    for batch in (1, 6):
        feed = {
            "x": rng.normal(size=(batch, 3)).astype(np.float32),
            "y": rng.integers(0, 3, batch),
            "p": rng.uniform(size=(batch, 3)).astype(np.float32),
        }
        found = session.run(feed)
        x = gc.tensor(feed["x"], requires_grad=True)
        expected = both(x, gc.tensor(feed["y"]), gc.tensor(feed["p"]))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-6, atol=1e-7)


def test_an_embedding_at_padding_gets_no_gradient_while_recording() -> None:
    layer = nn.Embedding(3, 2, padding_idx=0)

    def step(index: Any) -> Any:
        layer.zero_grad()
        layer(index).sum().backward()
        return layer.weight.grad

    grad = gc.compile(step, backend="numpy")(gc.tensor([0, 1, 1]))
    assert grad.tolist() == [[0, 0], [2, 2], [0, 0]]


def test_train_and_eval_are_recorded_anew() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    traces = []

    def run(x: Any) -> Any:
        traces.append(net.training)
        return net(x)

    fast = gc.compile(run, backend="numpy")
    x = gc.ones(4, 3)
    fast(x)
    fast(x)
    net.eval()
    assert fast(x).tolist() == net(x).tolist()
    net.train()
    fast(x)
    assert traces == [True, False]


def test_variables_and_nodes_have_the_modules_names() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
            self.head = nn.Linear(4, 1)

        def forward(self, x: Any) -> Any:
            return self.head(self.encoder(x)).exp()

    net = Net()
    with gc.Graph() as graph:
        graph.output(net(gc.placeholder((2, 3), name="x")), "y")
    names = [node.attrs["name"] for node in graph.program.variables]
    assert sorted(names) == sorted(net.state_dict())
    modules = {node.op.name: {origin.module for origin in origins_of(node)} for node in graph.nodes}
    assert modules["rsqrt"] == {"encoder.1"}
    assert modules["exp"] == {""}
    paths = {m for node in graph.nodes for m in (o.module for o in origins_of(node))}
    assert {"encoder.0", "encoder.1", "head"} <= paths


def test_an_error_in_forward_leaves_no_path_behind() -> None:
    layer = nn.Linear(3, 2)
    with gc.Graph() as graph:
        with pytest.raises(gc.GraphcError):
            layer(gc.placeholder((2, 4), name="x"))
        y = nn.Sequential(nn.Identity(), layer)(gc.placeholder((2, 3), name="z"))
        graph.output(y, "y")
    assert {o.module for node in graph.nodes for o in origins_of(node)} >= {"1"}


def test_a_lazy_part_that_cannot_be_recorded_leaves_no_path_behind() -> None:
    layer = nn.Linear(3, 2)
    with gc.Graph() as graph:
        with pytest.raises(gc.GraphcError, match="lazy module cannot be recorded"):
            nn.Sequential(nn.LazyLinear(2))(gc.placeholder((2, 4), name="x"))
        graph.output(nn.Sequential(nn.Identity(), layer)(gc.placeholder((2, 3), name="z")), "y")
    assert {o.module for node in graph.nodes for o in origins_of(node)} >= {"1"}


def test_a_buffer_that_is_assigned_in_forward_is_updated() -> None:
    class Counter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", gc.zeros(2))

        def forward(self, x: Any) -> Any:
            self.count = self.count + x
            return self.count * 10

    counter, twin = Counter(), Counter()
    fast = gc.compile(counter, backend="numpy")
    for _ in range(3):
        x = gc.tensor([1.0, 2.0])
        assert fast(x).tolist() == twin(x).tolist()
    assert counter.count.tolist() == twin.count.tolist() == [3, 6]


def test_clipping_is_recorded(rng: np.random.Generator) -> None:
    def make() -> tuple[nn.Module, Callable[[Any], Any]]:
        gc.manual_seed(0)
        net = nn.Linear(3, 2)

        def step(x: Any) -> Any:
            net.zero_grad()
            (net(x) ** 2).sum().backward()
            norm = nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            nn.utils.clip_grad_value_(net.parameters(), 0.02)
            return norm

        return net, step

    x = gc.tensor(rng.normal(size=(4, 3)).astype(np.float32))
    (a, dynamic), (b, step) = make(), make()
    static = gc.compile(step, backend="numpy")
    assert static(x).item() == dynamic(x).item()
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_array_equal(q.grad.numpy(), p.grad.numpy())
