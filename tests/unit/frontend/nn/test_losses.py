"""Losses against PyTorch's with all their options, and on hostile input."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn
from graphc.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError

REDUCTIONS = ("mean", "sum", "none")


def compare(
    ours: Any, theirs: Any, arrays: dict[str, np.ndarray], grads: tuple[str, ...], **options: Any
) -> None:
    """Call both with the same arrays; compare the loss and the gradients."""
    torch = pytest.importorskip("torch")
    a = {k: gc.tensor(v, requires_grad=k in grads) for k, v in arrays.items()}
    b = {k: torch.tensor(v, requires_grad=k in grads) for k, v in arrays.items()}
    out, expected = ours(**a, **options), theirs(**b, **options)
    close(out.detach().numpy(), expected.detach().numpy())
    weights = np.cos(np.arange(expected.numel(), dtype=np.float32)).reshape(expected.shape)
    out.backward(gc.tensor(weights))
    expected.backward(torch.tensor(weights))
    for key in grads:
        close(a[key].grad.numpy(), b[key].grad.numpy())


def close(actual: np.ndarray, expected: np.ndarray) -> None:
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=2e-5, atol=2e-6)


SHAPES = {"vector": (4,), "matrix": (6, 4), "image": (3, 4, 2, 5)}


@pytest.mark.parity
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("weighted", "ignore", "smoothing"),
    list(itertools.product([False, True], [-100, 1, -1], [0.0, 0.2])),
)
def test_cross_entropy_of_classes(
    reduction: str, shape: str, weighted: bool, ignore: int, smoothing: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    torch = pytest.importorskip("torch")
    sizes = SHAPES[shape]
    without = sizes[:1] + sizes[2:] if len(sizes) > 1 else ()
    target = rng.integers(0, 4, without)
    if len(sizes) > 1:
        target.flat[::4] = ignore if ignore != -100 else target.flat[::4]
    arrays = {"input": rng.normal(size=sizes).astype(np.float32) * 3, "target": np.array(target)}
    if weighted:
        arrays["weight"] = rng.uniform(0.5, 2, 4).astype(np.float32)
    options = {"ignore_index": ignore, "reduction": reduction, "label_smoothing": smoothing}
    theirs = torch.nn.functional.cross_entropy
    compare(F.cross_entropy, theirs, arrays, ("input",), **options)
    if smoothing == 0:
        del options["label_smoothing"]
        compare(F.nll_loss, torch.nn.functional.nll_loss, arrays, ("input",), **options)


@pytest.mark.parity
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_of_probabilities(
    reduction: str, shape: str, weighted: bool, smoothing: float, rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch")
    sizes = SHAPES[shape]
    arrays = {
        "input": rng.normal(size=sizes).astype(np.float32),
        "target": rng.uniform(size=sizes).astype(np.float32),
    }
    if weighted:
        arrays["weight"] = rng.uniform(0.5, 2, 4).astype(np.float32)
    compare(
        F.cross_entropy, torch.nn.functional.cross_entropy, arrays, ("input", "target"),
        reduction=reduction, label_smoothing=smoothing,
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
@pytest.mark.parametrize("weighted", [False, True])
def test_distances(name: str, reduction: str, weighted: bool, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    keys = ("input", "target", *(["weight"] if weighted else []))
    arrays = {key: rng.uniform(size=(3, 4)).astype(np.float32) for key in keys}
    arrays["target"][0] = arrays["input"][0]
    theirs = getattr(torch.nn.functional, name)
    compare(getattr(F, name), theirs, arrays, ("input", "target"), reduction=reduction)


@pytest.mark.parity
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("extras", [(), ("weight",), ("pos_weight",), ("weight", "pos_weight")])
def test_binary_cross_entropy(
    reduction: str, extras: tuple[str, ...], rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch")
    logits = rng.normal(size=(3, 4)).astype(np.float32) * 4
    logits[0] = [0.0, -0.0, 100.0, -100.0]
    arrays = {"input": logits, "target": rng.uniform(size=(3, 4)).astype(np.float32)}
    for key in extras:
        arrays[key] = rng.uniform(0.5, 2, 4).astype(np.float32)
    compare(
        F.binary_cross_entropy_with_logits,
        torch.nn.functional.binary_cross_entropy_with_logits, arrays, ("input",),
        reduction=reduction,
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "BCEWithLogitsLoss"])
def test_loss_modules(name: str, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    arrays = {key: rng.uniform(size=(3, 4)).astype(np.float32) for key in ("input", "target")}
    for reduction in REDUCTIONS:
        ours, theirs = getattr(nn, name)(reduction=reduction), getattr(torch.nn, name)
        compare(ours, theirs(reduction=reduction), arrays, ("input",))


@pytest.mark.parity
def test_loss_modules_over_classes(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    arrays = {
        "input": rng.normal(size=(5, 3)).astype(np.float32), "target": np.array([0, 1, 2, 1, 0]),
    }  # fmt: skip
    weight = np.array([1.0, 2.0, 3.0], np.float32)
    for name, options in (
        ("CrossEntropyLoss", {"ignore_index": 1, "label_smoothing": 0.1}),
        ("NLLLoss", {"ignore_index": 0, "reduction": "sum"}),
    ):
        ours = getattr(nn, name)(gc.tensor(weight), **options)
        theirs = getattr(torch.nn, name)(torch.tensor(weight), **options)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        compare(ours, theirs, arrays, ("input",))


def test_cross_entropy_by_hand() -> None:
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0]])
    exact = [
        math.log(sum(math.exp(v) for v in row)) - row[k]
        for row, k in zip(logits, (0, 2), strict=True)
    ]
    loss = F.cross_entropy(gc.tensor(logits, dtype=gc.float64), gc.tensor([0, 2]))
    assert loss.item() == pytest.approx(sum(exact) / 2, rel=1e-14)


def test_cross_entropy_is_stable() -> None:
    loss = F.cross_entropy(gc.tensor([[1e30, 0.0], [-1e30, 0.0]]), gc.tensor([0, 1]))
    assert loss.item() == 0.0


def test_mean_over_nothing_is_nan_and_sum_is_zero() -> None:
    target = gc.tensor([-100, -100])
    assert math.isnan(F.cross_entropy(gc.zeros(2, 3), target).item())
    assert F.cross_entropy(gc.zeros(2, 3), target, reduction="sum").item() == 0
    assert math.isnan(F.mse_loss(gc.zeros(0), gc.zeros(0)).item())


def test_integer_targets_of_regression() -> None:
    assert F.mse_loss(gc.tensor([1.0, 2.0]), gc.tensor([1, 4])).item() == 2.0


def test_wrong_arguments_raise() -> None:
    x, y = gc.zeros(2, 3), gc.tensor([0, 1])
    with pytest.raises(ArgumentError, match="reduction"):
        F.cross_entropy(x, y, reduction="average")
    with pytest.raises(ArgumentError, match="reduction"):
        nn.MSELoss(reduction="max")
    with pytest.raises(ArgumentError, match="label_smoothing"):
        F.cross_entropy(x, y, label_smoothing=1.5)
    with pytest.raises(DTypeError, match="int64"):
        F.cross_entropy(x, y.int())
    with pytest.raises(ShapeError, match="targets"):
        F.cross_entropy(x, gc.tensor([0, 1, 2]))
    with pytest.raises(ShapeError, match="weight per class"):
        F.cross_entropy(x, y, gc.ones(2))
    with pytest.raises(ShapeError, match="input's shape"):
        F.cross_entropy(x, gc.zeros(2))
    with pytest.raises(ShapeError, match="one shape"):
        F.binary_cross_entropy_with_logits(x, gc.zeros(3))
    with pytest.raises(ShapeError, match="loss's shape"):
        F.mse_loss(x, x, weight=gc.ones(3))
    with pytest.raises(IndexRangeError):
        F.cross_entropy(x, gc.tensor([0, 3]))
    with pytest.raises(IndexRangeError):
        F.cross_entropy(x, gc.tensor([0, -1]))


def test_other_shapes_and_old_arguments_warn() -> None:
    with pytest.warns(UserWarning, match="broadcast"):
        assert F.mse_loss(gc.zeros(2, 1), gc.ones(2)).item() == 1
    with pytest.warns(DeprecationWarning, match="use reduction"):
        assert F.l1_loss(gc.zeros(2), gc.ones(2), size_average=False).item() == 2
    with pytest.warns(DeprecationWarning, match="use reduction"):
        assert nn.MSELoss(reduce=False).reduction == "none"
