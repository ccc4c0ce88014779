"""A layer and the batch norm behind it as one layer, for evaluation."""

from __future__ import annotations

import copy
import functools
from typing import Any, TypeVar

from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.creation import zeros_like
from graphc.frontend.functions.pointwise import add, mul, rsqrt, sub
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.layers.linear import Linear
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

M = TypeVar("M", bound=Module)


def fuse_conv_bn_eval(conv: M, bn: Any, transpose: bool = False) -> M:
    """A convolution that computes what it and the batch norm behind it compute.

    Args:
        conv: the convolution, in evaluation mode.
        bn: the batch norm, in evaluation mode, with running statistics.
        transpose: whether the convolution is a transposed one.

    Returns:
        A new convolution.

    Raises:
        ArgumentError: for modules in training mode, or without running statistics.

    Source: ``torch.nn.utils.fuse_conv_bn_eval``.
    """
    return _fused(conv, bn, functools.partial(fuse_conv_bn_weights, transpose=transpose))


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor | None, bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """The weight and bias of a convolution and the batch norm behind it as one.

    Args:
        conv_w: the convolution's weight.
        conv_b: its bias, or None.
        bn_rm: the running mean.
        bn_rv: the running variance.
        bn_eps: what is added to the variance.
        bn_w: the norm's weight, or None.
        bn_b: its bias, or None.
        transpose: whether the convolution is a transposed one.

    Source: ``torch.nn.utils.fuse_conv_bn_weights``.
    """
    shape = ((1, -1) if transpose else (-1, 1)) + (1,) * (conv_w.ndim - 2)
    with no_grad():
        bias = zeros_like(bn_rm) if conv_b is None else conv_b
        factor = rsqrt(add(bn_rv, bn_eps))
        factor = factor if bn_w is None else mul(bn_w, factor)
        weight = cast(mul(conv_w, reshape(factor, shape)), conv_w.dtype)
        shift = mul(sub(bias, bn_rm), factor)
        shift = shift if bn_b is None else add(shift, bn_b)
        shift = cast(shift, conv_w.dtype if conv_b is None else conv_b.dtype)
    return (
        Parameter(weight, conv_w.requires_grad),
        Parameter(shift, conv_b is not None and conv_b.requires_grad),
    )


def fuse_linear_bn_eval(linear: Linear, bn: Any) -> Linear:
    """A linear layer that computes what it and the batch norm behind it compute.

    Args:
        linear: the layer, in evaluation mode.
        bn: the batch norm, in evaluation mode, with running statistics.

    Returns:
        A new layer.

    Raises:
        ArgumentError: for modules in training mode, without running statistics, or of another
            number of features.

    Source: ``torch.nn.utils.fuse_linear_bn_eval``.
    """
    if bn.num_features not in (1, linear.out_features):
        raise ArgumentError(
            "fuse_linear_bn_eval: the norm must have as many features as the layer gives, or one",
            got=str(bn.num_features), expected=str(linear.out_features),
            where=user_location_text(),
        )  # fmt: skip
    return _fused(linear, bn, fuse_linear_bn_weights)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor | None, bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """The weight and bias of a linear layer and the batch norm behind it as one.

    Args:
        linear_w: the layer's weight.
        linear_b: its bias, or None.
        bn_rm: the running mean.
        bn_rv: the running variance.
        bn_eps: what is added to the variance.
        bn_w: the norm's weight, or None.
        bn_b: its bias, or None.

    Source: ``torch.nn.utils.fuse_linear_bn_weights``.
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _fused(layer: M, bn: Any, fuse: Any) -> M:
    if layer.training or bn.training:
        raise ArgumentError(
            "modules are fused for evaluation only", fix="call eval() of both first",
            where=user_location_text(),
        )  # fmt: skip
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError(
            "the batch norm has no running statistics", where=user_location_text()
        )  # fmt: skip
    made: Any = copy.deepcopy(layer)
    made.weight, made.bias = fuse(
        made.weight, made.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    fused: M = made
    return fused
