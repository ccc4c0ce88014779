"""What the table of modules does not show: start values, masks, errors, random layers, loading."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, CheckpointError, IndexRangeError, ShapeError

MADE: dict[str, Callable[[Any], Any]] = {
    "linear": lambda n: n.Linear(40, 50),
    "bilinear": lambda n: n.Bilinear(30, 40, 20),
    "conv": lambda n: n.Conv2d(8, 40, 3),
    "conv_groups": lambda n: n.Conv1d(80, 40, 5, groups=4),
    "turned": lambda n: n.ConvTranspose2d(40, 12, 3, groups=2),
    "embedding": lambda n: n.Embedding(60, 40, padding_idx=3),
    "bag": lambda n: n.EmbeddingBag(60, 40, padding_idx=3),
    "attention": lambda n: n.MultiheadAttention(40, 4, add_bias_kv=True),
    "attention_sizes": lambda n: n.MultiheadAttention(40, 4, kdim=30, vdim=20),
    "transformer": lambda n: n.Transformer(32, 2, 1, 1, 64),
    "adaptive": lambda n: n.AdaptiveLogSoftmaxWithLoss(64, 90, [20, 50], head_bias=True),
    "norms": lambda n: n.Sequential(
        n.BatchNorm2d(5), n.GroupNorm(1, 4), n.LayerNorm(4), n.RMSNorm(4), n.PReLU(3),
        n.InstanceNorm1d(4, affine=True, track_running_stats=True),
    ),
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("name", MADE)
def test_start_values_have_pytorchs_distribution(name: str) -> None:
    torch = pytest.importorskip("torch")
    gc.manual_seed(1)
    torch.manual_seed(1)
    ours, theirs = MADE[name](nn).state_dict(), MADE[name](torch.nn).state_dict()
    assert list(ours) == list(theirs)
    for key, value in ours.items():
        a, b = value.numpy().astype(float), theirs[key].numpy().astype(float)
        assert a.shape == b.shape, key
        if np.ptp(b) == 0:
            assert np.array_equal(a, b), key
            continue
        noise = 5 / np.sqrt(a.size)
        assert abs(a.mean() - b.mean()) <= noise * 2 * b.std(), key
        assert abs(a.std() / b.std() - 1) <= noise, key
        assert np.abs(a).max() <= np.abs(b).max() * (1 + 3 * noise), key


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 20])
def test_cross_map_norm_counts_neighbours(size: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 7, 3, 2))
    half = (size + 1) // 2 - 1
    squares = [
        (x[:, max(c - half, 0) : c + half + 1] ** 2).sum(1) for c in range(x.shape[1])
    ]  # fmt: skip
    expected = x * (2.0 + 0.5 / size * np.stack(squares, 1)) ** -0.6
    layer = nn.CrossMapLRN2d(size, 0.5, 0.6, 2.0)
    np.testing.assert_allclose(layer(gc.tensor(x)).numpy(), expected, rtol=1e-12)
    with pytest.raises(ShapeError, match="height"):
        layer(gc.ones(3, 4))


@pytest.mark.parity
def test_cross_map_norm_is_pytorchs_for_few_channels(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    x = rng.normal(size=(2, 3, 4, 2))
    for size in (5, 6, 9):
        expected = torch.nn.CrossMapLRN2d(size, 0.5)(torch.tensor(x)).numpy()
        actual = nn.CrossMapLRN2d(size, 0.5)(gc.tensor(x)).numpy()
        np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_bags_divide_gradients_by_frequency() -> None:
    bag = nn.EmbeddingBag(5, 1, mode="sum", scale_grad_by_freq=True)
    bag(gc.tensor([[0, 3, 3], [4, 4, 4]])).sum().backward()
    np.testing.assert_allclose(bag.weight.grad.numpy()[:, 0], [1, 0, 0, 1, 1])


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("first", [False, True])
def test_masks_of_transformers(first: bool, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    form = (8, 2, 2, 2, 12, 0.0)
    theirs = torch.nn.Transformer(*form, batch_first=first).double()
    ours = nn.Transformer(*form, batch_first=first).double()
    ours.load_state_dict(theirs.state_dict())
    src, tgt = rng.normal(size=(4, 4, 8)), rng.normal(size=(4, 4, 8))
    hidden = np.zeros((4, 4), bool)
    hidden[1, 2:] = hidden[2, 3] = True
    masks = {
        "tgt_mask": nn.Transformer.generate_square_subsequent_mask(4, dtype=gc.float64).numpy(),
        "src_key_padding_mask": hidden,
        "memory_key_padding_mask": hidden,
    }
    expected = theirs(
        torch.tensor(src), torch.tensor(tgt), **{k: torch.tensor(v) for k, v in masks.items()}
    )
    for run in (ours, gc.compile(ours)):
        actual = run(
            gc.tensor(src), gc.tensor(tgt), **{k: gc.tensor(v) for k, v in masks.items()}
        )  # fmt: skip
        np.testing.assert_allclose(
            actual.detach().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-11
        )
    theirs_mask = torch.nn.Transformer.generate_square_subsequent_mask(5)
    assert np.array_equal(
        nn.Transformer.generate_square_subsequent_mask(5).numpy(), theirs_mask.numpy()
    )


def test_copies_of_a_layer_have_parameters_of_their_own() -> None:
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 3)
    assert len(list(encoder.parameters())) == 3 * 12
    first, second = encoder.layers[0].linear1.weight, encoder.layers[1].linear1.weight
    assert np.array_equal(first.detach().numpy(), second.detach().numpy())
    with gc.no_grad():
        first.zero_()
    assert second.detach().numpy().any()


def test_adaptive_softmax_is_a_distribution(rng: np.random.Generator) -> None:
    layer = nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 7], div_value=2.0).double()
    x, target = gc.tensor(rng.normal(size=(5, 8))), gc.tensor([0, 2, 3, 6, 11])
    every = layer.log_prob(x)
    np.testing.assert_allclose(every.exp().sum(1).detach().numpy(), np.ones(5), rtol=1e-12)
    output, loss = layer(x, target)
    chosen = every.detach().numpy()[np.arange(5), target.numpy()]
    np.testing.assert_allclose(output.detach().numpy(), chosen, rtol=1e-12)
    assert loss.item() == pytest.approx(-chosen.mean())
    assert layer.predict(x).tolist() == every.detach().numpy().argmax(1).tolist()
    with pytest.raises(IndexRangeError):
        layer(x, gc.tensor([0, 2, 3, 6, 12]))
    for cutoffs in ([], [7, 3], [3, 12], [0, 3], [3, 3]):
        with pytest.raises(ArgumentError, match="cutoffs"):
            nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs)


@pytest.mark.parametrize(
    ("layer", "shape", "lead"),
    [
        (nn.Dropout(0.25), (400, 50), 2),
        (nn.Dropout1d(0.25), (100, 200, 3), 2),
        (nn.Dropout2d(0.25), (100, 200, 2, 2), 2),
        (nn.Dropout3d(0.25), (100, 200, 2, 1, 2), 2),
    ],
)
def test_dropout_drops_its_share(layer: Any, shape: tuple[int, ...], lead: int) -> None:
    gc.manual_seed(0)
    out = layer(gc.ones(*shape)).numpy().reshape(*shape[:lead], -1)
    assert np.array_equal(out, np.broadcast_to(out[..., :1], out.shape))
    assert set(np.unique(out)) == {0.0, np.float32(1 / 0.75)}
    assert abs((out[..., 0] == 0).mean() - 0.25) < 0.02
    x = gc.ones(*shape)
    assert layer.eval()(x) is x
    with pytest.raises(ArgumentError, match="probability"):
        type(layer)(1.5)


@pytest.mark.parametrize("kind", [nn.AlphaDropout, nn.FeatureAlphaDropout])
def test_alpha_dropout_keeps_mean_and_variance(kind: Any, rng: np.random.Generator) -> None:
    gc.manual_seed(0)
    out = kind(0.3)(gc.tensor(rng.normal(size=(300, 300, 1)))).numpy()
    assert abs(out.mean()) < 0.02
    assert abs(out.std() - 1) < 0.02


def test_random_slopes_are_within_their_range() -> None:
    layer = nn.RReLU(0.2, 0.4)
    out = -layer(gc.full((1000,), -1.0)).numpy()
    assert 0.2 <= out.min() < 0.22
    assert 0.38 < out.max() <= 0.4
    np.testing.assert_allclose(layer.eval()(gc.tensor([-1.0, 2.0])).numpy(), [-0.3, 2.0])


WRONG: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "groups": (lambda: nn.Conv2d(3, 4, 3, groups=2), ArgumentError, "groups"),
    "padding": (lambda: nn.Conv2d(4, 4, 3, padding="all"), ArgumentError, "valid"),
    "same_stride": (lambda: nn.Conv2d(4, 4, 3, 2, "same"), ArgumentError, "stride 1"),
    "mode": (lambda: nn.Conv2d(4, 4, 3, padding_mode="mirror"), ArgumentError, "padding_mode"),
    "kernel": (lambda: nn.Conv2d(4, 4, (3, 3, 3)), ArgumentError, "kernel_size"),
    "turned_mode": (
        lambda: nn.ConvTranspose1d(4, 4, 3, padding_mode="reflect"), ArgumentError, "zeros",
    ),
    "output_size": (
        lambda: nn.ConvTranspose1d(4, 4, 3, 2)(gc.ones(1, 4, 5), output_size=[13]),
        ShapeError, "output_size",
    ),
    "pad": (lambda: nn.ReflectionPad2d((1, 2)), ArgumentError, "padding"),
    "pad_rank": (lambda: nn.ReflectionPad2d(1)(gc.ones(3, 4)), ShapeError, "spatial"),
    "batch_norm": (lambda: nn.BatchNorm2d(3)(gc.ones(2, 3, 4)), ShapeError, "height"),
    "instance_norm": (
        lambda: nn.InstanceNorm1d(3, affine=True)(gc.ones(2, 4, 5)), ShapeError, "num_features",
    ),
    "group_norm": (lambda: nn.GroupNorm(3, 4), ArgumentError, "divide"),
    "heads": (lambda: nn.MultiheadAttention(7, 2), ArgumentError, "divide"),
    "activation": (
        lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"), ArgumentError, "activation",
    ),
    "source": (
        lambda: nn.Transformer(4, 2, 1, 1, 4)(gc.ones(3, 2, 4), gc.ones(3, 1, 4)),
        ShapeError, "same batch",
    ),
    "hardtanh": (lambda: nn.Hardtanh(1.0, 1.0), ArgumentError, "min_val"),
    "softmax2d": (lambda: nn.Softmax2d()(gc.ones(2, 3)), ShapeError, "channels"),
    "unflatten": (lambda: nn.Unflatten("a", (2, 3)), ArgumentError, "names"),  # type: ignore[arg-type]
    "triplet": (lambda: nn.TripletMarginLoss(0.0), ArgumentError, "above 0"),
    "multi_margin": (lambda: nn.MultiMarginLoss(3), ArgumentError, "1 or 2"),
    "fractional": (lambda: nn.FractionalMaxPool2d(2), ArgumentError, "output_ratio"),
    "ratio": (lambda: nn.FractionalMaxPool2d(2, output_ratio=1.5), ArgumentError, "between"),
    "bilinear": (lambda: nn.Bilinear(0, 3, 2), ArgumentError, "in1_features"),
    "table": (
        lambda: nn.EmbeddingBag(3, 2, _weight=gc.ones(2, 3)), ShapeError, "another shape",
    ),
    "pretrained": (lambda: nn.Embedding.from_pretrained(gc.ones(3)), ShapeError, "rows"),
    "device": (lambda: nn.Conv2d(1, 1, 1, device="cuda"), ArgumentError, "device"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name: str) -> None:
    call, kind, match = WRONG[name]
    with pytest.raises(kind, match=match):
        call()


def test_deprecated_arguments() -> None:
    with pytest.warns(FutureWarning, match="min_value"):
        layer = nn.Hardtanh(min_value=-2.0)
    assert layer.min_val == -2.0
    with pytest.warns(DeprecationWarning, match="reduction"):
        assert nn.SmoothL1Loss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="num_features"):
        nn.InstanceNorm1d(3)(gc.ones(2, 4, 5))


def test_tables_from_values() -> None:
    table = gc.tensor([[1.0, 2.0], [3.0, 4.0]])
    for kind in (nn.Embedding, nn.EmbeddingBag):
        layer: Any = kind.from_pretrained(table, padding_idx=-1)
        assert layer.weight.requires_grad is False
        assert layer.padding_idx == 1
        table[0, 0] = 5.0
        assert layer.weight[0, 0].item() == 5.0
        assert kind.from_pretrained(table, freeze=False).weight.requires_grad


def test_states_without_a_count_of_batches_load() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    model(gc.ones(2, 1, 2, 2))
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("tracked")}
    other = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    assert not other.load_state_dict(state).missing_keys
    assert other[1].num_batches_tracked.item() == 0
    del state["1.running_mean"]
    with pytest.raises(CheckpointError, match="running_mean"):
        other.load_state_dict(state)


def test_compiled_modules_take_keyword_arguments() -> None:
    layer = nn.ConvTranspose1d(2, 2, 3, 2)
    x = gc.randn(1, 2, 4)
    run = gc.compile(layer)
    expected = layer(x, output_size=[10])
    np.testing.assert_allclose(
        run(x, output_size=[10]).detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6
    )
