"""What each stage of the pipeline makes of a graph, as text."""

from __future__ import annotations

from typing import Any

import pytest

import graphc as gc
from graphc.text import format_graph
from tests.goldens import Golden


def lowered(function: Any, *specs: Any, **options: Any) -> str:
    return format_graph(gc.trace(function, *specs).lower(**options), locations=False)


def untidy(x: Any) -> Any:
    """Something for every pass: dead code, constants, ones, a double negation, equal values."""
    _ = x.tanh()
    two = gc.tensor(1.0) + 1.0
    y = (x * 1.0).neg().neg() * two
    return (y.exp() + x.reshape(2, 6).reshape(3, 4).exp()).log() / 2.0


@pytest.mark.parametrize("stage", ["canonicalize", "simplify", "fuse"])
def test_stages(stage: str, golden: Golden) -> None:
    golden(lowered(untidy, gc.TensorSpec((3, 4)), to=stage))


def test_layer_norm_is_one_kernel(golden: Golden) -> None:
    def layer_norm(x: Any, weight: Any) -> Any:
        centred = x - x.mean(-1, keepdim=True)
        return centred * ((centred * centred).mean(-1, keepdim=True) + 1e-5).rsqrt() * weight

    golden(lowered(layer_norm, gc.TensorSpec((8, 65)), gc.TensorSpec((65,))))


def test_dropout(golden: Golden) -> None:
    golden(lowered(lambda x: x * (gc.rand(3, 4) < 0.5), gc.TensorSpec((3, 4))))


@pytest.mark.parametrize("numerics", ["strict", "stable", "fast"])
def test_inexact_rules_need_permission(numerics: str, golden: Golden) -> None:
    golden(lowered(
        lambda x: ((1 + x.exp()).log(), x - x, (x + 1.5) + 2.25, x * 0),
        gc.TensorSpec((5,)), disable=("fuse",), numerics=numerics,
    ))  # fmt: skip
