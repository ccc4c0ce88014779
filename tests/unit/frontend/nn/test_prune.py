"""``nn.utils.prune``: masks by magnitude, at random, of channels, over several parameters."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, ArgumentTypeError, IndexRangeError
from graphc.nn.utils import prune


def values(x: Any) -> np.ndarray:
    return np.array(x.detach().numpy())


def l1_scores(lib: Any) -> Any:
    return lib.arange(12.0).reshape(3, 4)


METHODS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "identity": lambda p, m, lib: p.identity(m, "weight"),
    "l1": lambda p, m, lib: p.l1_unstructured(m, "weight", 0.4),
    "l1 of a bias": lambda p, m, lib: p.l1_unstructured(m, "bias", 2),
    "l1 of none": lambda p, m, lib: p.l1_unstructured(m, "weight", 0),
    "l1 of all": lambda p, m, lib: p.l1_unstructured(m, "weight", 1.0),
    "l1 by scores": lambda p, m, lib: p.l1_unstructured(m, "weight", 5, l1_scores(lib)),
    "norms of rows": lambda p, m, lib: p.ln_structured(m, "weight", 1, 2, 0),
    "norms of columns": lambda p, m, lib: p.ln_structured(m, "weight", 0.5, 1, -1),
    "largest of columns": lambda p, m, lib: p.ln_structured(m, "weight", 0.5, float("inf"), 1),
    "norms of no rows": lambda p, m, lib: p.ln_structured(m, "weight", 0.0, 2, 0),
    "mask": lambda p, m, lib: p.custom_from_mask(m, "weight", (l1_scores(lib) % 3 == 0)),
    "twice": lambda p, m, lib: p.l1_unstructured(p.l1_unstructured(m, "weight", 0.5), "weight", 2),
    "elements, then rows": lambda p, m, lib: p.ln_structured(
        p.l1_unstructured(m, "weight", 0.3), "weight", 1, 2, 0
    ),
    "rows, then columns": lambda p, m, lib: p.ln_structured(
        p.ln_structured(m, "weight", 1, 2, 0), "weight", 1, 2, 1
    ),
    "rows twice": lambda p, m, lib: p.ln_structured(
        p.ln_structured(m, "weight", 1, 2, 0), "weight", 1, 2, 0
    ),
    "rows, then elements, then a mask": lambda p, m, lib: p.custom_from_mask(
        p.l1_unstructured(p.ln_structured(m, "weight", 1, 2, 0), "weight", 3), "weight",
        l1_scores(lib) > 2,
    ),
    "over both": lambda p, m, lib: p.global_unstructured(
        [(m, "weight"), (m, "bias")], p.L1Unstructured, amount=0.5
    ),
    "over both, twice": lambda p, m, lib: [
        p.global_unstructured([(m, "weight"), (m, "bias")], p.L1Unstructured, amount=amount)
        for amount in (0.2, 4)
    ],
    "over both by scores": lambda p, m, lib: p.global_unstructured(
        [(m, "weight"), (m, "bias")], p.L1Unstructured, {(m, "weight"): l1_scores(lib)}, amount=6
    ),
}  # fmt: skip


def train(layer: Any, lib: Any, x: np.ndarray, compiled: bool) -> list[np.ndarray]:
    optimizer = lib.optim.SGD(layer.parameters(), 0.1, momentum=0.9)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        y = layer(x)
        (y * y).mean().backward()
        optimizer.step()
        return y.detach()

    run = gc.compile(step) if compiled else step
    found = [values(run(lib.tensor(x))) for _ in range(3)]
    return [*found, values(layer.weight), *(values(each) for each in layer.state_dict().values())]


@pytest.mark.parity
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", METHODS)
def test_training_with_zeros_gives_pytorchs_numbers(
    name: str, compiled: bool, rng: np.random.Generator
) -> None:  # fmt: skip
    torch = pytest.importorskip("torch")
    theirs_prune = pytest.importorskip("torch.nn.utils.prune")
    ours, theirs = nn.Linear(4, 3).double(), torch.nn.Linear(4, 3).double()
    ours.load_state_dict(theirs.state_dict())
    METHODS[name](prune, ours, gc)
    METHODS[name](theirs_prune, theirs, torch)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert prune.is_pruned(ours)
    x = rng.normal(size=(5, 4))
    actual, expected = train(ours, gc, x, compiled), train(theirs, torch, x, False)
    # PyTorch's weight is that of the last call, graphc's that of the latest parameters
    expected[3] = values(theirs.weight_orig * theirs.weight_mask) if hasattr(
        theirs, "weight_mask"
    ) else expected[3]  # fmt: skip
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    for parameter in ("weight", "bias"):
        if hasattr(theirs, f"{parameter}_mask"):
            prune.remove(ours, parameter)
            theirs_prune.remove(theirs, parameter)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, value in ours.state_dict().items():
        np.testing.assert_allclose(values(value), values(theirs.state_dict()[key]), rtol=1e-9)
    assert not prune.is_pruned(ours)


@pytest.mark.parametrize("name", METHODS)
def test_zeros_stay_and_compiled_steps_are_the_dynamic_ones(
    name: str, rng: np.random.Generator
) -> None:
    layer = nn.Linear(4, 3).double()
    original = layer.weight
    METHODS[name](prune, layer, gc)
    if name not in ("l1 of a bias",):
        assert layer.weight_orig is original
    other, again = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))
    x = rng.normal(size=(5, 4))
    before = values(layer.weight) == 0
    for a, b, c in zip(
        train(layer, gc, x, True), train(other, gc, x, False), train(again, gc, x, False),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(b, c)
    if name not in ("identity", "l1 of none", "norms of no rows", "l1 of a bias"):
        assert before.any()
    assert (values(layer.weight)[before] == 0).all()


def test_random_methods_prune_as_many_as_asked() -> None:
    gc.manual_seed(3)
    layer = nn.Linear(10, 20)
    assert prune.random_unstructured(layer, "weight", 0.3) is layer
    assert (values(layer.weight_mask) == 0).sum() == 60
    prune.random_unstructured(layer, "weight", 40)
    assert (values(layer.weight_mask) == 0).sum() == 100
    channels = nn.Conv2d(4, 8, 3)
    prune.random_structured(channels, "weight", 0.5, dim=0)
    rows = values(channels.weight_mask).reshape(8, -1)
    assert sorted(rows.sum(1)) == [0] * 4 + [36] * 4
    prune.random_structured(channels, "weight", 1, dim=1)
    assert (values(channels.weight_mask).sum((0, 2, 3)) == 0).sum() == 1
    prune.global_unstructured(
        [(layer, "weight"), (layer, "bias")], prune.RandomUnstructured, amount=0.5
    )
    assert (values(layer.weight_mask) == 0).sum() + (values(layer.bias_mask) == 0).sum() == 160
    gc.manual_seed(3)
    same = nn.Linear(10, 20)
    prune.random_unstructured(same, "weight", 0.3)
    assert (values(same.weight_mask)[values(layer.weight_mask) == 1] == 1).all()


def test_methods_of_ones_own() -> None:
    class EveryOther(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t: gc.Tensor, default_mask: gc.Tensor) -> gc.Tensor:
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    layer = nn.Linear(3, 2)
    method = EveryOther.apply(layer, "weight")
    assert values(layer.weight_mask).tolist() == [[0, 1, 0], [1, 0, 1]]
    assert isinstance(method, EveryOther)
    container = EveryOther.apply(layer, "weight")
    assert values(layer.weight_mask).tolist() == [[0, 0, 0], [1, 0, 0]]
    assert isinstance(container, prune.PruningContainer)
    assert len(container) == 2
    assert list(container) == [container[0], container[1]]
    assert container[0] is method
    x = gc.arange(4.0)
    assert method.prune(x).tolist() == [0, 1, 0, 3]
    assert method.prune(x, default_mask=gc.tensor([1.0, 1, 1, 0])).tolist() == [0, 1, 0, 0]
    with pytest.raises(ArgumentError, match="same parameter"):
        container.add_pruning_method(EveryOther.apply(layer, "bias"))
    with pytest.raises(ArgumentTypeError, match="methods"):
        prune.PruningContainer(3)
    with pytest.raises(NotImplementedError):
        prune.BasePruningMethod.apply(nn.Linear(1, 1), "weight")

    class Odd(EveryOther):
        PRUNING_TYPE = "odd"

    with pytest.raises(ArgumentError, match="PRUNING_TYPE"):
        Odd.apply(layer, "weight")


def test_compiled_functions_notice_masks() -> None:
    layer = nn.Linear(3, 2)
    run = gc.compile(lambda x: layer(x))
    x = gc.ones(3)
    run(x)
    for _ in range(2):
        prune.l1_unstructured(layer, "weight", 2)
        np.testing.assert_allclose(values(run(x)), values(layer(x)), rtol=1e-6)
    prune.remove(layer, "weight")
    np.testing.assert_allclose(values(run(x)), values(layer(x)), rtol=1e-6)


def test_wrong_arguments() -> None:
    layer = nn.Linear(3, 2)
    for amount, error in ((-1, ArgumentError), (1.5, ArgumentError), ("x", ArgumentTypeError)):
        with pytest.raises(error, match="amount"):
            prune.l1_unstructured(layer, "weight", amount)
    with pytest.raises(ArgumentError, match="amount"):
        prune.random_unstructured(layer, "weight", 7)
    with pytest.raises(ArgumentError, match="two dims"):
        prune.random_structured(layer, "bias", 1, 0)
    with pytest.raises(IndexRangeError):
        prune.ln_structured(layer, "weight", 1, 2, 2)
    with pytest.raises(ArgumentError, match="shape"):
        prune.l1_unstructured(layer, "weight", 1, gc.ones(2))
    with pytest.raises(ArgumentError, match="shape"):
        prune.custom_from_mask(layer, "weight", gc.ones(2))
    with pytest.raises(ArgumentError, match="no such parameter"):
        prune.identity(layer, "weigth")
    with pytest.raises(ArgumentError, match="has to be pruned"):
        prune.remove(layer, "weight")
    with pytest.raises(ArgumentTypeError, match="pairs"):
        prune.global_unstructured(3, prune.L1Unstructured, amount=1)
    with pytest.raises(ArgumentTypeError, match="unstructured"):
        prune.global_unstructured([(layer, "weight")], prune.RandomStructured, amount=1)
    assert not prune.is_pruned(layer)
    assert list(layer.state_dict()) == ["weight", "bias"]
