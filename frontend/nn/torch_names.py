"""Functions of networks in PyTorch's outermost namespace.

Many are those of ``nn.functional``. Others have their own order of arguments there, or their own
results; those are below. ``cudnn_enabled`` is accepted for PyTorch's sake and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
from graphc.frontend.nn.functional.linear import bilinear
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
    "hardshrink",
    "instance_norm",
    "layer_norm",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool3d",
    "pairwise_distance",
    "pdist",
    "prelu",
    "rms_norm",
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


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: complex = 0) -> Tensor:
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
