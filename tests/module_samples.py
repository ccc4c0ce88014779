"""Modules to compare with PyTorch's: how each is made, and what it is called with."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = Any
Rng = np.random.Generator


class Sample(NamedTuple):
    """One form of one module.

    Attributes:
        name: of the class.
        make: called with ``nn`` and with what makes a tensor of an array.
        inputs: makes the arguments; floating point arrays get gradients.
        options: keyword arguments that are no tensors.
        normalized: give the first argument as log-probabilities.
    """

    name: str
    make: Callable[[Any, Callable[[Array], Any]], Any]
    inputs: Callable[[Rng], tuple[Array, ...]]
    options: dict[str, Any]
    normalized: bool = False


def normal(*shapes: tuple[int, ...]) -> Callable[[Rng], tuple[Array, ...]]:
    """Normal numbers of these shapes, with some zeros, where functions bend."""

    def draw(rng: Rng) -> tuple[Array, ...]:
        made = []
        for shape in shapes:
            values = rng.normal(size=shape)
            values.flat[1::7] = 0
            made.append(values)
        return tuple(made)

    return draw


def smooth(*shapes: tuple[int, ...]) -> Callable[[Rng], tuple[Array, ...]]:
    """Normal numbers of these shapes."""
    return lambda rng: tuple(rng.normal(size=shape) for shape in shapes)


SAMPLES: list[Sample] = []


def add(
    name: str, forms: Sequence[tuple[Any, ...]], inputs: Callable[[Rng], tuple[Array, ...]],
    normalized: bool = False, **options: Any,
) -> None:  # fmt: skip
    """Note one sample for each form: positional arguments, and a dict of others at the end."""
    for form in forms:
        given, named = (form[:-1], form[-1]) if form and isinstance(form[-1], dict) else (form, {})

        def make(
            n: Any, tensor: Callable[[Array], Any], given: Any = given, named: Any = named
        ) -> Any:
            ready = lambda x: tensor(x) if isinstance(x, np.ndarray) else x  # noqa: E731
            return getattr(n, name)(
                *(ready(x) for x in given), **{key: ready(x) for key, x in named.items()}
            )

        SAMPLES.append(Sample(name, make, inputs, options, normalized))


# --- activations ------------------------------------------------------------------------------

for plain in (
    "ReLU", "SiLU", "GELU", "Sigmoid", "Tanh", "LogSigmoid", "Softplus", "LeakyReLU", "Hardtanh",
    "ReLU6", "Hardsigmoid", "Hardswish", "Hardshrink", "Softshrink", "PReLU", "ELU", "CELU",
    "SELU", "Mish", "Softsign", "Tanhshrink", "GLU", "Identity", "Flatten",
):  # fmt: skip
    add(plain, [()], normal((3, 4, 6)))
add("Hardtanh", [(-0.5, 0.25), (-2, 2, True)], normal((3, 4)))
add("ReLU6", [(True,)], normal((3, 4)))
add("Hardsigmoid", [(True,)], normal((3, 4)))
add("Threshold", [(0.1, 20), (0.1, 20, True)], normal((3, 4)))
add("Hardshrink", [(0.1,)], normal((3, 4)))
add("Softshrink", [(0.1,)], normal((3, 4)))
add("PReLU", [(4,), (1, 0.1)], normal((3, 4, 2)))
add("ELU", [(0.5,), (2.0, True)], normal((3, 4)))
add("CELU", [(0.5,), (2.0, True)], normal((3, 4)))
add("SELU", [(True,)], normal((3, 4)))
add("Mish", [(True,)], normal((3, 4)))
add("GLU", [(0,), ({"dim": 1},)], normal((4, 6)))
add("Softmin", [(0,), ({"dim": -1},)], normal((3, 4)))
add("Softmax", [(0,), ({"dim": -1},)], normal((3, 4)))
add("LogSoftmax", [(0,), ({"dim": -1},)], normal((3, 4)))
add("Softmax2d", [()], normal((2, 3, 4, 5)))
add("Softmax2d", [()], normal((3, 4, 5)))
add("RReLU", [(0.25, 0.25), (0.3, 0.3, True)], normal((3, 4)))

# --- linear maps, tables, distances -----------------------------------------------------------

add("Linear", [(5, 3), (5, 3, False)], normal((2, 4, 5)))
add("Linear", [(5, 3)], normal((5,)))
add("Bilinear", [(5, 4, 3), (5, 4, 3, False)], normal((2, 6, 5), (2, 6, 4)))
add("Bilinear", [(5, 4, 3)], normal((5,), (4,)))
add("CosineSimilarity", [(), (0,), ({"dim": -1, "eps": 0.1},)], smooth((3, 4), (3, 4)))
add(
    "PairwiseDistance", [(), (1.0,), ({"p": 3.0, "eps": 0.1, "keepdim": True},)],
    smooth((3, 4), (3, 4)),
)  # fmt: skip
add("PairwiseDistance", [()], smooth((4,), (4,)))
add(
    "Embedding",
    [(7, 3), (7, 3, 2), (7, 3, -1), (7, 3, {"max_norm": 0.5}), (7, 3, None, 1.0, 1.0),
     (7, 3, {"scale_grad_by_freq": True})],
    lambda rng: (rng.integers(0, 7, (4, 5)),),
)  # fmt: skip
add(
    "EmbeddingBag",
    [(7, 3), (7, 3, {"mode": "sum"}), (7, 3, {"mode": "max"}), (7, 3, {"padding_idx": 2}),
     (7, 3, 0.5, 1.0)],
    lambda rng: (rng.integers(0, 7, (4, 5)),),
)  # fmt: skip
for include in (False, True):
    add(
        "EmbeddingBag", [(7, 3, {"mode": mode, "include_last_offset": include})
                         for mode in ("sum", "mean", "max")],
        lambda rng: (rng.integers(0, 7, 8), np.array([0, 3, 3, 8])),
    )  # fmt: skip

# --- convolutions and windows -----------------------------------------------------------------

SIZES = {1: (9,), 2: (7, 6), 3: (5, 4, 6)}
for dims, sizes in SIZES.items():
    conv, turned = f"Conv{dims}d", f"ConvTranspose{dims}d"
    image, single = normal((2, 4, *sizes)), normal((4, *sizes))
    add(
        conv,
        [(4, 6, 3), (4, 6, 2, 2, 1), (4, 6, (3,) * dims, {"padding": "same", "groups": 2}),
         (4, 4, 2, {"dilation": 2, "groups": 4, "bias": False}), (4, 2, 2, {"padding": "valid"})],
        image,
    )  # fmt: skip
    add(
        conv,
        [(4, 2, 3, {"padding": 1, "padding_mode": mode, "stride": 2})
         for mode in ("reflect", "replicate", "circular")]
        + [(4, 2, 2, {"padding": "same", "padding_mode": "circular"})],
        image,
    )  # fmt: skip
    add(conv, [(4, 2, 3)], single)
    add(
        turned,
        [(4, 6, 3), (4, 6, 3, 2, 1, 1), (4, 6, (2,) * dims, {"groups": 2, "dilation": 2}),
         (4, 2, 2, {"bias": False})],
        image,
    )  # fmt: skip
    add(turned, [(4, 2, 3, 2)], single)
    wanted = [2 * size for size in sizes]
    add(turned, [(4, 2, 3, 2, 1)], image, output_size=wanted)
    add(turned, [(4, 2, 3, 2, 1)], image, output_size=[2, 2, *wanted])
    pool = smooth((2, 3, *sizes))
    for inputs in (pool, smooth((3, *sizes))):
        add(
            f"MaxPool{dims}d",
            [(2,), (3, 2, 1), (2, {"dilation": 2}), (3, 2, {"ceil_mode": True}),
             (2, {"return_indices": True})],
            inputs,
        )  # fmt: skip
        add(
            f"AvgPool{dims}d",
            [(2,), (3, 2, 1), (3, 2, {"ceil_mode": True}), (3, 2, 1, False, False)],
            inputs,
        )
        add(
            f"LPPool{dims}d",
            [(2, 2), (3, 3, {"stride": 2}), (1.5, 2, 2, True)],
            lambda rng, f=inputs: tuple(np.abs(x) + 0.1 for x in f(rng)),
        )
        for size in (2, (3,) * dims, *[(None,) * dims] * (dims > 1)):
            add(f"AdaptiveAvgPool{dims}d", [(size,)], inputs)
            add(f"AdaptiveMaxPool{dims}d", [(size,), (size, True)], inputs)
        for mode, forms in {
            "ConstantPad": [(1, 2.5), (tuple(range(2 * dims)), -1.0)],
            "ZeroPad": [(1,), ((2, -1, *(1,) * (2 * dims - 2)),)],
            "ReflectionPad": [(1,), ((2, 1, *(0,) * (2 * dims - 2)),)],
            "ReplicationPad": [(1,), ((2, 5, *(0,) * (2 * dims - 2)),)],
            "CircularPad": [(1,), ((2, 1, *(0,) * (2 * dims - 2)),)],
        }.items():
            add(f"{mode}{dims}d", forms, inputs)
    add(
        f"MaxUnpool{dims}d", [(2,), (2, 2, 0)],
        lambda rng, d=dims: (rng.normal(size=(2, 3, *(2,) * d)), _places(rng, (2, 3, *(2,) * d))),
    )  # fmt: skip
    if dims > 1:
        samples = np.random.default_rng(0).uniform(size=(2, 3, dims))
        add(
            f"FractionalMaxPool{dims}d",
            [(2, {"output_size": 2, "_random_samples": samples}),
             (2, {"output_ratio": 0.4, "_random_samples": samples}),
             (2, 2, None, True, samples)],
            pool,
        )  # fmt: skip
add("AvgPool2d", [(2, {"divisor_override": 3})], smooth((2, 3, 6, 6)))
add("AvgPool3d", [(2, {"divisor_override": 3})], smooth((2, 3, 4, 4, 4)))


def _places(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Different places in images that are twice as large."""
    count = int(np.prod(shape[2:]))
    images = [
        rng.permutation(count * 2 ** (len(shape) - 2))[:count] for _ in range(shape[0] * shape[1])
    ]
    return np.stack(images).reshape(shape)


# --- norms ------------------------------------------------------------------------------------

FORMS = [
    (4,), (4, 0.1, 0.3), (4, {"affine": False}), (4, {"track_running_stats": False}),
    (4, {"bias": False, "affine": True}),
]  # fmt: skip
add("BatchNorm1d", [*FORMS, (4, {"momentum": None})], normal((6, 4)))
add("BatchNorm1d", [(4,)], normal((3, 4, 5)))
for dims, sizes in SIZES.items():
    if dims > 1:
        add(f"BatchNorm{dims}d", [*FORMS, (4, {"momentum": None})], normal((3, 4, *sizes)))
    instance = [*FORMS, (4, {"affine": True, "track_running_stats": True})]
    add(f"InstanceNorm{dims}d", instance, normal((3, 4, *sizes)))
    add(f"InstanceNorm{dims}d", instance[-1:], normal((4, *sizes)))
add(
    "GroupNorm", [(2, 4), (4, 4, 0.1), (1, 4, {"affine": False}), (2, 4, {"bias": False})],
    normal((3, 4, 5)),
)  # fmt: skip
add("GroupNorm", [(2, 4)], normal((3, 4)))
add(
    "LayerNorm",
    [(4,), ((3, 4), 0.1), (4, {"elementwise_affine": False}), (4, {"bias": False})],
    normal((2, 3, 4)),
)
add("RMSNorm", [(4,), ((3, 4), 0.1), (4, {"elementwise_affine": False})], normal((2, 3, 4)))
for shape in ((2, 7, 5), (2, 7, 3, 2)):
    add("LocalResponseNorm", [(2,), (3, 0.5, 0.5, 2.0)], normal(shape))

# --- images and shapes ------------------------------------------------------------------------

add("Flatten", [(0,), (1, 2)], normal((2, 3, 4)))
add("Unflatten", [(1, (2, 3)), (-2, [3, -1])], normal((2, 6, 4)))
add("PixelShuffle", [(2,)], normal((2, 8, 3, 2)))
add("PixelUnshuffle", [(2,)], normal((2, 4, 6)))
add("ChannelShuffle", [(2,), (3,)], normal((2, 6, 3, 2)))
add("Unfold", [(2,), ((2, 3), 1, 1, 2)], normal((2, 3, 5, 6)))
add("Unfold", [(2,)], normal((3, 5, 6)))
add("Fold", [((4, 5), (2, 2))], normal((2, 12, 12)))
add(
    "Upsample",
    [(7,), ({"scale_factor": 2},), ({"scale_factor": (2, 1.5), "mode": "bilinear"},),
     ({"size": (4, 9), "mode": "bicubic"},), (None, 2, "bilinear", True),
     ({"scale_factor": 1.7, "recompute_scale_factor": True},)],
    normal((2, 3, 4, 5)),
)  # fmt: skip
add("Upsample", [({"scale_factor": 2, "mode": "linear"},)], normal((2, 3, 4)))
add("Upsample", [({"size": 5, "mode": "trilinear"},)], normal((2, 3, 4, 3, 2)))
add("UpsamplingNearest2d", [(6,), ({"scale_factor": 2},)], normal((2, 3, 4, 5)))
add("UpsamplingBilinear2d", [(6,), ({"scale_factor": 2},)], normal((2, 3, 4, 5)))

# --- attention --------------------------------------------------------------------------------

add(
    "MultiheadAttention",
    [(8, 2), (8, 4, 0.0, False), (8, 2, {"add_bias_kv": True}), (8, 2, {"add_zero_attn": True}),
     (8, 2, {"batch_first": True})],
    normal((5, 5, 8), (5, 5, 8), (5, 5, 8)),
)  # fmt: skip
add("MultiheadAttention", [(8, 2)], normal((4, 8), (5, 8), (5, 8)))
add("MultiheadAttention", [(8, 2, {"kdim": 6, "vdim": 3})], normal((4, 2, 8), (5, 2, 6), (5, 2, 3)))
add("MultiheadAttention", [(8, 2)], normal(*[(5, 2, 8)] * 3), need_weights=False)
add("MultiheadAttention", [(8, 2)], normal(*[(5, 2, 8)] * 3), average_attn_weights=False)
for first in (False, True):
    for before in (False, True):
        form = (8, 2, 12, 0.0, "gelu", 1e-3, first, before)
        add("TransformerEncoderLayer", [form], normal((3, 3, 8)))
        add("TransformerDecoderLayer", [form], normal((3, 3, 8), (3, 3, 8)))
add("TransformerEncoderLayer", [(8, 2, 12, {"dropout": 0.0, "bias": False})], normal((3, 8)))
add("TransformerDecoderLayer", [(8, 2, 12, {"dropout": 0.0})], normal((3, 8), (4, 8)))
add("Transformer", [(8, 2, 2, 1, 12, 0.0)], normal((4, 2, 8), (3, 2, 8)))
add(
    "Transformer", [(8, 2, 1, 1, 12, 0.0, {"batch_first": True, "norm_first": True})],
    normal((2, 4, 8), (2, 3, 8)),
)  # fmt: skip
for draw in (
    lambda rng: (rng.normal(size=(6, 16)), rng.integers(0, 20, 6)),
    lambda rng: (rng.normal(size=16), rng.integers(0, 20, ())),
):
    add("AdaptiveLogSoftmaxWithLoss", [(16, 20, [5, 10]), (16, 20, [3], 2.0, True)], draw)

# --- recurrent layers and cells ---------------------------------------------------------------

for layer in ("RNN", "GRU", "LSTM"):
    add(layer, [(5, 4), (5, 4, 2, {"bias": False, "batch_first": True})], smooth((3, 2, 5)))
    add(layer, [(5, 4, {"bidirectional": True})], smooth((3, 5)))
    if layer != "LSTM":
        add(layer, [(5, 4, 2)], smooth((3, 2, 5), (2, 2, 4)))
add("RNN", [(5, 4, 1, "relu")], smooth((3, 2, 5)))

for cell, count in (("RNNCell", 1), ("GRUCell", 1), ("LSTMCell", 2)):
    for batch in ((), (3,), (0,)):
        add(cell, [(5, 4), (5, 4, False)], smooth((*batch, 5)))
    if count == 1:
        add(cell, [(5, 4), (5, 4, False)], smooth((3, 5), (3, 4)))
        add(cell, [(5, 4)], smooth((5,), (4,)))
add("RNNCell", [(5, 4, True, "relu")], smooth((3, 5), (3, 4)))

# --- dropout that is certain ------------------------------------------------------------------

for drop in ("Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout"):
    add(drop, [(0.0,), ({"p": 0},)], normal((3, 4, 5)))
add("Dropout", [(1.0,)], normal((3, 4)))
add("Dropout1d", [(1.0,)], normal((4, 5)))
add("Dropout2d", [(0.0,), (1.0,)], normal((2, 3, 4, 5)))
add("Dropout3d", [(0.0,), (1.0,)], normal((2, 3, 4, 5, 2)))

# --- losses -----------------------------------------------------------------------------------

REDUCTIONS = [({"reduction": how},) for how in ("mean", "sum", "none")]
PAIR = smooth((3, 4), (3, 4))
for loss in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"):
    add(loss, REDUCTIONS, PAIR)
add("SmoothL1Loss", [({"beta": 0.3},), (None, None, "sum", 0.0)], PAIR)
add("HuberLoss", [("sum", 0.3)], PAIR)


def of_classes(shape: tuple[int, ...], classes: int) -> Callable[[Rng], tuple[Array, ...]]:
    def draw(rng: Rng) -> tuple[Array, ...]:
        target_shape = (shape[0], *shape[2:]) if len(shape) > 1 else ()
        return rng.normal(size=shape), rng.integers(0, classes, target_shape)

    return draw


WEIGHT = np.array([0.5, 1.0, 2.0, 0.25])
for shape in ((3, 4), (3, 4, 5), (4,)):
    add(
        "CrossEntropyLoss", [*REDUCTIONS, (WEIGHT, {"ignore_index": 1, "label_smoothing": 0.1})],
        of_classes(shape, 4),
    )  # fmt: skip
    add("NLLLoss", [*REDUCTIONS, (WEIGHT, {"ignore_index": 1})], of_classes(shape, 4))


def likely(rng: Rng) -> tuple[Array, ...]:
    return rng.uniform(0.01, 0.99, (3, 4)), rng.uniform(0, 1, (3, 4))


add("BCELoss", [*REDUCTIONS, (WEIGHT,)], likely)
add("BCEWithLogitsLoss", [*REDUCTIONS, (WEIGHT, {"pos_weight": WEIGHT * 2})], likely)
add(
    "KLDivLoss", [*REDUCTIONS, ({"reduction": "batchmean"},), ({"log_target": True, "reduction": "sum"},)],  # noqa: E501
    likely,
)  # fmt: skip
add("PoissonNLLLoss", [*REDUCTIONS, (False, True), ({"eps": 0.1, "log_input": False},)], likely)
add(
    "GaussianNLLLoss", [*REDUCTIONS, ({"full": True, "eps": 0.1},)],
    lambda rng: (*rng.normal(size=(2, 3, 4)), rng.uniform(0.2, 2, (3, 4))),
)  # fmt: skip


def signed(*shapes: tuple[int, ...], target: tuple[int, ...]) -> Callable[[Rng], tuple[Array, ...]]:
    return lambda rng: (
        *(rng.normal(size=shape) for shape in shapes), rng.choice([-1, 1], target)
    )  # fmt: skip


add("SoftMarginLoss", REDUCTIONS, signed((3, 4), target=(3, 4)))
add("HingeEmbeddingLoss", [*REDUCTIONS, (0.5,)], signed((3, 4), target=(3, 4)))
add("CosineEmbeddingLoss", [*REDUCTIONS, (0.5,)], signed((3, 4), (3, 4), target=(3,)))
add("MarginRankingLoss", [*REDUCTIONS, (0.5,)], signed((3,), (3,), target=(3,)))
add("MultiMarginLoss", [*REDUCTIONS, (2, 0.5, WEIGHT)], of_classes((3, 4), 4))
add(
    "MultiLabelMarginLoss", REDUCTIONS,
    lambda rng: (rng.normal(size=(2, 4)), np.array([[3, 0, -1, 1], [1, -1, 2, 0]])),
)  # fmt: skip
add("MultiLabelSoftMarginLoss", [*REDUCTIONS, (WEIGHT,)], likely)
TRIPLE = smooth((3, 4), (3, 4), (3, 4))
add(
    "TripletMarginLoss", [*REDUCTIONS, (0.5, 1.0, {"swap": True}), ({"p": 3.0, "eps": 0.1},)],
    TRIPLE,
)  # fmt: skip
add("TripletMarginWithDistanceLoss", [*REDUCTIONS, ({"margin": 2.0, "swap": True},)], TRIPLE)


def sequences(rng: Rng) -> tuple[Array, ...]:
    lengths = np.array([8, 7, 8]), np.array([4, 2, 3])
    return rng.normal(size=(8, 3, 5)), rng.integers(1, 5, (3, 4)), *lengths


add("CTCLoss", [*REDUCTIONS, (0, "sum", True)], sequences, normalized=True)
