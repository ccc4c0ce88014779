"""Convolutions as native code has them: zeros around the input are an operation of their own."""

from __future__ import annotations

from graphc.node import Node
from graphc.ops.convolution import conv
from graphc.ops.convolution_parts import with_padding
from graphc.passes.pattern import var
from graphc.passes.rewrite import rule


def _is_padded(node: Node) -> bool:
    return node.op is conv and "low" in node.attrs


@rule(var("node", _is_padded))
def padding_apart(node: Node) -> Node:
    """conv(x, w, low, high) = conv(pad(x, low, high), w)"""
    x, weight = node.inputs
    attrs = dict(node.attrs)
    low, high = attrs.pop("low"), attrs.pop("high", ())
    made: Node = conv(with_padding(x, low, high), weight, **attrs)
    return made
