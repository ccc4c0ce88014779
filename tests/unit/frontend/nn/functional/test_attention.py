"""Attention against PyTorch: masks, heads, biases, dropped weights, in both executions."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, DTypeError, ShapeError
from tests.torch_oracle import check


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


@pytest.mark.parity
@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
def test_scaled_dot_product(lead: tuple[int, ...], rng: np.random.Generator) -> None:
    q, k, v = (rng.normal(size=(*lead, *s)) for s in ((4, 5), (6, 5), (6, 3)))
    attend = lambda m: _functional(m).scaled_dot_product_attention  # noqa: E731 - one expression
    check(lambda m, q, k, v: attend(m)(q, k, v), q, k, v, loose=8)
    check(lambda m, q, k, v: attend(m)(q, k, v, scale=0.3), q, k, v, loose=8)
    check(lambda m, q, k, v: attend(m)(q, k, v, is_causal=True), q, k, v, loose=8)
    mask = rng.normal(size=(4, 6))
    check(lambda m, q, k, v, w: attend(m)(q, k, v, w), q, k, v, mask, loose=8)
    seen = mask > 0
    seen[:, 0] = True
    check(lambda m, q, k, v, w: attend(m)(q, k, v, attn_mask=w), q, k, v, seen, loose=8)
    seen[1] = False  # a query that sees nothing
    check(lambda m, q, k, v, w: attend(m)(q, k, v, w), q, k, v, seen, loose=8)


@pytest.mark.parity
def test_shared_heads(rng: np.random.Generator) -> None:
    q, k, v = (rng.normal(size=s) for s in ((2, 6, 4, 5), (2, 2, 3, 5), (2, 3, 3, 4)))
    check(
        lambda m, q, k, v: _functional(m).scaled_dot_product_attention(q, k, v, enable_gqa=True),
        q, k, v[:, :2], loose=8,
    )  # fmt: skip


def test_dropped_weights_average_to_the_whole() -> None:
    gc.manual_seed(0)
    q, v = gc.zeros(4000, 1, 2), gc.ones(4000, 5, 1)
    k = gc.zeros(4000, 5, 2)
    out = F.scaled_dot_product_attention(q, k, v, dropout_p=0.4).numpy()
    assert len(np.unique(out.round(3))) == 6
    assert out.mean() == pytest.approx(1, abs=0.03)


SIZE, HEADS = 6, 2
OPTIONS = list(itertools.product([False, True], repeat=5))


@pytest.mark.parity
@pytest.mark.parametrize(("biased", "zero", "masked", "padded", "batched"), OPTIONS)
def test_multi_head(
    biased: bool, zero: bool, masked: bool, padded: bool, batched: bool, rng: np.random.Generator
) -> None:
    batch = (3,) if batched else ()
    q, k, v = (rng.normal(size=(n, *batch, SIZE)) for n in (4, 5, 5))
    weights = [rng.normal(size=s) for s in ((3 * SIZE, SIZE), (3 * SIZE,), (SIZE, SIZE), (SIZE,))]
    extra = [rng.normal(size=(1, 1, SIZE)) for _ in range(2)]
    hidden = np.triu(np.ones((4, 5), bool), 1)
    padding = rng.normal(size=(*batch, 5))

    def run(m: Any, *xs: Any, need_weights: bool, average: bool) -> Any:
        q, k, v, w, b, wo, bo, bk, bv, mask, pad = xs
        out, scores = _functional(m).multi_head_attention_forward(
            q, k, v, SIZE, HEADS, w, b, bk if biased else None, bv if biased else None, zero, 0.0,
            wo, bo, attn_mask=mask if masked else None,
            key_padding_mask=pad.detach() if padded else None,
            need_weights=need_weights, average_attn_weights=average,
        )  # fmt: skip
        return (out, scores) if need_weights else out

    arrays = (q, k, v, *weights, *extra, np.where(hidden, -2.0, 0.0), padding)
    for need_weights, average in ((True, True), (True, False), (False, True)):
        check(
            lambda m, *xs, n=need_weights, a=average: run(m, *xs, need_weights=n, average=a),
            *arrays, loose=200,
        )  # fmt: skip


@pytest.mark.parity
def test_multi_head_with_bool_masks_and_own_projections(rng: np.random.Generator) -> None:
    q, k, v = (rng.normal(size=s) for s in ((4, 3, SIZE), (5, 3, 7), (5, 3, 8)))
    weights = [rng.normal(size=s) for s in ((SIZE, SIZE), (SIZE, 7), (SIZE, 8), (SIZE, SIZE))]
    mask = rng.uniform(size=(3 * HEADS, 4, 5)) < 0.3
    mask[..., 0] = False
    padding = np.zeros((3, 5), bool)
    padding[1, 3:] = True

    def run(m: Any, q: Any, k: Any, v: Any, wq: Any, wk: Any, wv: Any, wo: Any) -> Any:
        return _functional(m).multi_head_attention_forward(
            q, k, v, SIZE, HEADS, None, None, None, None, False, 0.0, wo, None,
            attn_mask=m.tensor(mask.tolist()), key_padding_mask=m.tensor(padding.tolist()),
            use_separate_proj_weight=True, q_proj_weight=wq, k_proj_weight=wk, v_proj_weight=wv,
        )  # fmt: skip

    check(run, q, k, v, *weights, loose=200)


@pytest.mark.parity
def test_static_keys(rng: np.random.Generator) -> None:
    q, k = rng.normal(size=(4, 3, SIZE)), rng.normal(size=(5, 3, SIZE))
    w, wo = rng.normal(size=(3 * SIZE, SIZE)), rng.normal(size=(SIZE, SIZE))
    fixed = rng.normal(size=(2, 3 * HEADS, 7, SIZE // HEADS))

    def run(m: Any, q: Any, k: Any, w: Any, wo: Any, static: Any) -> Any:
        return _functional(m).multi_head_attention_forward(
            q, k, k, SIZE, HEADS, w, None, None, None, False, 0.0, wo, None,
            static_k=static[0], static_v=static[1],
        )  # fmt: skip

    check(run, q, k, w, wo, fixed, loose=200)


def test_attention_of_unknown_lengths_compiles(rng: np.random.Generator) -> None:
    with gc.Graph() as graph:
        q = gc.placeholder((None, "length", 4), name="q")
        k = gc.placeholder((None, "length", 4), name="k")
        out = F.scaled_dot_product_attention(q, k, k, is_causal=True)
    session = graph.compile(outputs=out)
    for length in (1, 5):
        a, b = rng.normal(size=(2, 3, length, 4)).astype(np.float32)
        expected = F.scaled_dot_product_attention(gc.tensor(a), gc.tensor(b), gc.tensor(b), None,
                                                  0.0, True)  # fmt: skip
        np.testing.assert_allclose(
            session.run({"q": a, "k": b}), expected.numpy(), rtol=2e-5, atol=1e-6
        )


def _heads(**options: Any) -> Any:
    x = options.pop("x", gc.ones(3, 1, 4))
    return F.multi_head_attention_forward(
        x, x, x, 4, options.pop("heads", 2), gc.ones(12, 4), None, options.pop("bias_k", None),
        None, False, 0.0, gc.ones(4, 4), None, **options,
    )  # fmt: skip


Q = gc.ones(2, 3, 4)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.scaled_dot_product_attention(Q, gc.ones(2, 3, 5), Q), ShapeError, "size"),
        (lambda: F.scaled_dot_product_attention(Q, Q, gc.ones(2, 4, 4)), ShapeError, "keys"),
        (
            lambda: F.scaled_dot_product_attention(Q, Q, Q, gc.ones(3, 3), is_causal=True),
            ArgumentError, "not both",
        ),
        (lambda: F.scaled_dot_product_attention(Q, Q, Q, gc.ones(5, 3)), ShapeError, "broadcast"),
        (
            lambda: F.scaled_dot_product_attention(Q, Q, Q, gc.ones(3, 3, dtype=gc.int64)),
            DTypeError, "mask",
        ),
        (
            lambda: F.scaled_dot_product_attention(
                gc.ones(3, 3, 4), gc.ones(2, 3, 4), gc.ones(2, 3, 4), enable_gqa=True
            ),
            ShapeError, "multiple",
        ),
        (lambda: _heads(heads=3), ShapeError, "divide"),
        (lambda: _heads(x=gc.ones(3, 1, 5)), ShapeError, "size 4"),
        (lambda: _heads(is_causal=True), ArgumentError, "attn_mask"),
        (lambda: _heads(bias_k=gc.ones(1, 1, 4)), ArgumentError, "together"),
        (lambda: _heads(attn_mask=gc.ones(2, 3)), ShapeError, "attn_mask"),
        (lambda: _heads(key_padding_mask=gc.ones(1, 2)), ShapeError, "key_padding_mask"),
        (lambda: _heads(static_k=gc.ones(2, 3, 3)), ShapeError, "static"),
        (lambda: _heads(use_separate_proj_weight=True), ArgumentError, "missing"),
    ],
)  # fmt: skip
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
