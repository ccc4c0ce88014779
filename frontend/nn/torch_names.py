"""Functions of networks in PyTorch's outermost namespace.

Many are those of ``nn.functional``. Others have their own order of arguments there, or their own
results; those are below. ``cudnn_enabled`` is accepted for PyTorch's sake and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.exponential import sigmoid
from graphc.frontend.functions.pointwise import relu
from graphc.frontend.functions.shaping import chunk
from graphc.frontend.functions.trigonometric import tanh
from graphc.frontend.nn.functional import adaptive, channels, normalization, pooling
from graphc.frontend.nn.functional import dropout as dropping
from graphc.frontend.nn.functional import embedding as tables
from graphc.frontend.nn.functional.channels import channel_shuffle, group_norm
from graphc.frontend.nn.functional.convolution import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from graphc.frontend.nn.functional.distance import cosine_similarity, pairwise_distance, pdist
from graphc.frontend.nn.functional.exponential import celu, celu_, selu, selu_
from graphc.frontend.nn.functional.linear import bilinear, linear
from graphc.frontend.nn.functional.normalization import rms_norm
from graphc.frontend.nn.functional.padding import pad
from graphc.frontend.nn.functional.piecewise import (
    hardshrink,
    prelu,
    rrelu,
    rrelu_,
    threshold,
    threshold_,
)
from graphc.frontend.nn.functional.pooling import avg_pool1d
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_max_pool1d",
    "alpha_dropout",
    "alpha_dropout_",
    "avg_pool1d",
    "batch_norm",
    "bilinear",
    "celu",
    "celu_",
    "channel_shuffle",
    "constant_pad_nd",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_similarity",
    "dropout",
    "dropout_",
    "embedding",
    "feature_alpha_dropout",
    "feature_alpha_dropout_",
    "feature_dropout",
    "feature_dropout_",
    "group_norm",
    "gru_cell",
    "hardshrink",
    "instance_norm",
    "layer_norm",
    "lstm_cell",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool3d",
    "pairwise_distance",
    "pdist",
    "prelu",
    "rms_norm",
    "rnn_relu_cell",
    "rnn_tanh_cell",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "threshold",
    "threshold_",
]

Ints = Any
adaptive_avg_pool1d = adaptive.adaptive_avg_pool1d


def adaptive_max_pool1d(input: Tensor, output_size: Ints) -> tuple[Tensor, Tensor]:
    """The largest of each window, and its place (``torch.adaptive_max_pool1d``)."""
    values, places = adaptive.adaptive_max_pool1d(input, output_size, return_indices=True)
    return values, places


def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints = (), padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The largest element of each window (``torch.max_pool1d``)."""
    made: Tensor = pooling.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode)
    return made


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints = (), padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The largest element of each window, and its place (``torch.max_pool1d_with_indices``)."""
    values, places = pooling.max_pool1d(
        input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True
    )
    return values, places


def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints = (), padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The largest element of each window (``torch.max_pool2d``)."""
    made: Tensor = pooling.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)
    return made


def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints = (), padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The largest element of each window (``torch.max_pool3d``)."""
    made: Tensor = pooling.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode)
    return made


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """Surround with one number (``torch.constant_pad_nd``); see ``nn.functional.pad``."""
    return _pad(input, pad, "constant", value)


_pad = pad


def batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """``nn.functional.batch_norm`` with its arguments in another order (``torch.batch_norm``)."""
    return normalization.batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps
    )


def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float,
    cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """``nn.functional.instance_norm`` in another order (``torch.instance_norm``)."""
    return channels.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None,
    bias: Tensor | None = None, eps: float = 1e-5, cudnn_enable: bool = True,
) -> Tensor:  # fmt: skip
    """``nn.functional.layer_norm`` (``torch.layer_norm``)."""
    return normalization.layer_norm(input, normalized_shape, weight, bias, eps)


def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Rows of a table; the table comes first here (``torch.embedding``).

    Args:
        weight: the table ``(rows, size)``.
        indices: which rows.
        padding_idx: a row without a gradient; -1 for none.
        scale_grad_by_freq: divide gradients by how often a row is used.
        sparse: must be False.
    """
    return tables.embedding(
        indices, weight, None if padding_idx < 0 else padding_idx,
        scale_grad_by_freq=scale_grad_by_freq, sparse=sparse,
    )  # fmt: skip


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``nn.functional.dropout`` (``torch.dropout``)."""
    return dropping.dropout(input, p, train)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """``dropout`` in place (``torch.dropout_``)."""
    return dropping.dropout(input, p, train, inplace=True)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``nn.functional.alpha_dropout`` (``torch.alpha_dropout``)."""
    return dropping.alpha_dropout(input, p, train)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """``alpha_dropout`` in place (``torch.alpha_dropout_``)."""
    return dropping.alpha_dropout(input, p, train, inplace=True)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``nn.functional.feature_alpha_dropout`` (``torch.feature_alpha_dropout``)."""
    return dropping.feature_alpha_dropout(input, p, train)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """``feature_alpha_dropout`` in place (``torch.feature_alpha_dropout_``)."""
    return dropping.feature_alpha_dropout(input, p, train, inplace=True)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Whole channels of ``(batch, channels, ...)`` become 0 (``torch.feature_dropout``)."""
    return dropping.drop_channels("feature_dropout", input, p, train, inplace=False)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """``feature_dropout`` in place (``torch.feature_dropout_``)."""
    return dropping.drop_channels("feature_dropout_", input, p, train, inplace=True)


def _sums(
    function: str, input: Tensor, hidden: Tensor, w_ih: Tensor, w_hh: Tensor,
    b_ih: Tensor | None, b_hh: Tensor | None, parts: int,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:  # fmt: skip
    """What the input and the hidden state give to each gate."""
    x, h = require_tensor(function, input), require_tensor(function, hidden)
    if x.ndim != 2 or h.ndim != 2:
        raise ShapeError(
            f"{function}: expected input and state (batch, size)", got=f"{x.type} and {h.type}",
            where=user_location_text(),
        )  # fmt: skip
    return chunk(linear(x, w_ih, b_ih), parts, 1), chunk(linear(h, w_hh, b_hh), parts, 1)


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """One step of a simple recurrent network with tanh (``torch.rnn_tanh_cell``).

    Args:
        input: ``(batch, size)``.
        hx: the state ``(batch, hidden)``.
        w_ih: ``(hidden, size)``.
        w_hh: ``(hidden, hidden)``.
        b_ih: ``(hidden,)``.
        b_hh: ``(hidden,)``.
    """
    (x,), (h,) = _sums("rnn_tanh_cell", input, hx, w_ih, w_hh, b_ih, b_hh, 1)
    return tanh(x + h)


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``rnn_tanh_cell`` with relu (``torch.rnn_relu_cell``)."""
    (x,), (h,) = _sums("rnn_relu_cell", input, hx, w_ih, w_hh, b_ih, b_hh, 1)
    return relu(x + h)


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """One step of gated recurrent units (``torch.gru_cell``).

    Args:
        input: ``(batch, size)``.
        hx: the state ``(batch, hidden)``.
        w_ih: ``(3 * hidden, size)``: reset, update and new gate.
        w_hh: ``(3 * hidden, hidden)``.
        b_ih: ``(3 * hidden,)``.
        b_hh: ``(3 * hidden,)``.
    """
    of_input, of_state = _sums("gru_cell", input, hx, w_ih, w_hh, b_ih, b_hh, 3)
    reset = sigmoid(of_input[0] + of_state[0])
    update = sigmoid(of_input[1] + of_state[1])
    new = tanh(of_input[2] + reset * of_state[2])
    return (hx - new) * update + new


def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One step of long short-term memory (``torch.lstm_cell``).

    Args:
        input: ``(batch, size)``.
        hx: hidden state and cell state, ``(batch, hidden)`` each.
        w_ih: ``(4 * hidden, size)``: input, forget, cell and output gate.
        w_hh: ``(4 * hidden, hidden)``.
        b_ih: ``(4 * hidden,)``.
        b_hh: ``(4 * hidden,)``.

    Returns:
        The next hidden state and cell state.
    """
    hidden, cell = hx
    of_input, of_state = _sums("lstm_cell", input, hidden, w_ih, w_hh, b_ih, b_hh, 4)
    enter, forget, fresh, leave = (a + b for a, b in zip(of_input, of_state, strict=True))
    cell = sigmoid(forget) * cell + sigmoid(enter) * tanh(fresh)
    return sigmoid(leave) * tanh(cell), cell
