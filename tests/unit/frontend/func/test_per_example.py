"""``vmap`` of the library's functions against a loop over the examples, both modes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.frontend.structure import flatten
from tests.closeness import assert_same

One = Callable[..., Any]

FUNCTIONS: dict[str, tuple[One, list[tuple[int, ...]]]] = {
    "arithmetic": (lambda x, y: (x + 1) * y - x / (y * y + 1), [(4,), (4,)]),
    "broadcast": (lambda x, y: x * y, [(3, 1), (4,)]),
    "scalars": (lambda x, y: gc.atan2(x, y), [(), ()]),
    "comparison": (lambda x, y: (x > y).float() + gc.maximum(x, y), [(4,), (4,)]),
    "clamp": (lambda x: x.clamp(-0.5, 0.5), [(4,)]),
    "var": (lambda x: (x.var(0), x.std(), gc.var_mean(x, dim=1)), [(3, 4)]),
    "norm": (lambda x: (x.norm(), gc.linalg.vector_norm(x, 3, dim=0)), [(3, 4)]),
    "logsumexp": (lambda x: (x.logsumexp(0), x.log_softmax(1)), [(3, 4)]),
    "extremes": (lambda x: (x.max(0), x.min(1), x.argmax(), x.aminmax()), [(3, 4)]),
    "median": (lambda x: (x.median(), x.median(1), x.nanmedian()), [(3, 4)]),
    "quantile": (lambda x: x.quantile(0.3, dim=0), [(5, 2)]),
    "scan": (lambda x: (x.cumsum(0), x.cumprod(1), x.cummax(0), x.logcumsumexp(1)), [(3, 4)]),
    "sorting": (lambda x: (x.sort(1), x.topk(2, 0), x.kthvalue(2)), [(3, 4)]),
    "shape": (lambda x: (x.t(), x.reshape(-1), x.unsqueeze(0), x.flip(0), x.roll(1, 1)), [(3, 4)]),
    "tiles": (lambda x: (x.repeat(2, 1), x.expand(2, 3, 4), gc.tile(x, (2,))), [(3, 4)]),
    "repeats": (lambda x: x.repeat_interleave(2, dim=1), [(3, 4)]),
    "parts": (lambda x: (*x.chunk(2, 1), *x.unbind(0), x.narrow(1, 1, 2)), [(3, 4)]),
    "joins": (lambda x, y: (gc.stack([x, y]), gc.cat([x, y], 1), gc.hstack([x, y])),
              [(2, 3), (2, 3)]),
    "triangles": (lambda x: (x.tril(), x.triu(1), x.diagonal(1), x.diag()), [(3, 3)]),
    "diagonals": (lambda x: (gc.diag_embed(x), gc.diagflat(x, 1)), [(3,)]),
    "indexing": (lambda x: (x[1], x[:, ::2], x[..., None], x[[2, 0]], x[[0, 1], [1, 2]]), [(3, 4)]),
    "mask": (lambda x: (x.masked_fill(x > 0, 0.0), gc.where(x > 0, x, -x)), [(3, 4)]),
    "gather": (lambda x: (x.gather(1, x.argsort(1)), gc.take_along_dim(x, x.argsort(0), 0)),
               [(3, 4)]),
    "own positions": (lambda x: (x[x.argmax(0)], x.index_select(0, x.argmax(0))), [(3, 4)]),
    "scatter": (lambda x: (
        gc.zeros(3, 4).scatter(1, x.argsort(1), x), x.scatter_add(0, x.argsort(0), x),
        gc.zeros(4).index_add(0, x.argmax(1), x[:, 0])), [(3, 4)]),
    "index_put": (lambda x: x.index_put((x.argmax(0),), x[0]), [(3, 4)]),
    "take": (lambda x: x.take(gc.tensor([0, 5, 5])), [(3, 4)]),
    "searchsorted": (lambda x, y: (gc.searchsorted(x.sort()[0], y), gc.bucketize(y, x.sort()[0])),
                     [(5,), (3,)]),
    "products": (lambda x, y: (x @ y, x.mv(y[:, 0]), gc.einsum("ij,jk->i", x, y)),
                 [(2, 3), (3, 4)]),
    "more products": (lambda x, y: (gc.outer(x, y), gc.dot(x, y), gc.kron(x, y)), [(3,), (3,)]),
    "batched products": (lambda x, y: (gc.bmm(x, y), gc.tensordot(x, y, dims=([2], [1]))),
                         [(2, 3, 4), (2, 4, 5)]),
    "linear": (lambda x, w: (F.linear(x, w), F.linear(x[0], w)), [(2, 3), (4, 3)]),
    "bilinear": (lambda x, w: F.bilinear(x, x, w), [(2, 3), (4, 3, 3)]),
    "convolution": (lambda x, w: F.conv2d(x, w, padding=1, stride=2), [(2, 3, 6, 5), (4, 3, 3, 3)]),
    "transposed": (lambda x, w: F.conv_transpose1d(x, w, stride=2), [(2, 3, 5), (3, 2, 4)]),
    "pooling": (lambda x: (F.max_pool2d(x, 2), F.avg_pool2d(x, 2)), [(1, 2, 4, 6)]),
    "padding": (lambda x: (F.pad(x, (1, 2)), F.pad(x[None], (1, 1), mode="reflect")), [(2, 4)]),
    "layer norm": (lambda x: F.layer_norm(x, (4,)), [(3, 4)]),
    "batch norm": (lambda x: F.batch_norm(x, None, None, training=True), [(3, 4)]),
    "activations": (lambda x: (F.gelu(x), F.silu(x), F.softplus(x), F.elu(x), F.relu(x)), [(4,)]),
    "attention": (lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), [(2, 4, 3)]),
    "losses": (lambda x, y: (
        F.mse_loss(x, y), F.cross_entropy(x, y.argmax(1)), F.huber_loss(x, y),
        F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")), [(3, 4), (3, 4)]),
    "embedding": (lambda x, w: F.embedding(x.argsort(0), w), [(3,), (5, 2)]),
    "one hot": (lambda x: F.one_hot(x.argmax(0), 3), [(3, 4)]),
    "linalg": (lambda x: (
        gc.linalg.inv(x), gc.linalg.det(x), gc.linalg.slogdet(x), gc.linalg.norm(x)), [(3, 3)]),
    "factors": (lambda x: (
        gc.linalg.cholesky(x @ x.mT + gc.eye(3)), gc.linalg.qr(x), gc.linalg.svdvals(x),
        gc.linalg.eigvalsh(x + x.mT), gc.linalg.matrix_exp(x)), [(3, 3)]),
    "equations": (lambda x, y: (
        gc.linalg.solve(x, y), gc.linalg.solve(x, y[:, 0]), gc.linalg.pinv(x),
        gc.linalg.lstsq(x, y).solution), [(3, 3), (3, 2)]),
    "distances": (lambda x, y: (gc.cdist(x, y), F.pairwise_distance(x, y[:2]),
                                F.cosine_similarity(x, y[:2])), [(2, 3), (4, 3)]),
    "fourier": (lambda x: (gc.fft.rfft(x).abs(), gc.fft.irfft(gc.fft.rfft(x))), [(6,)]),
    "special": (lambda x: (gc.erf(x), gc.lgamma(x + 9), gc.special.i0(x), gc.sinc(x)), [(4,)]),
    "in place": (lambda x: x.clone().add_(1).mul_(x)[1:].zero_(), [(4,)]),
    "view writes": (lambda x: _view_written(x), [(3, 4)]),
    "complex": (lambda x, y: (gc.complex(x, y) * (1 + 2j)).abs(), [(3,), (3,)]),
    "gradient inside": (lambda x: gc.func.grad(lambda a: (a.sin() * a).sum())(x), [(4,)]),
    "tape inside": (lambda x: _differentiated(x), [(4,)]),
    "dtype": (lambda x: (x.double(), x.int(), x.to(gc.float16), x.bool()), [(4,)]),
}  # fmt: skip


def _view_written(x: Any) -> Any:
    made = x.clone()
    row = made[1]
    row.mul_(2)
    made[:, 0] = x[:, 1]
    return made, row


def _differentiated(x: Any) -> Any:
    leaf = x.detach().requires_grad_()
    return gc.grad((leaf**3).sum(), leaf)[0]


CASES = [(name, False) for name in FUNCTIONS] + [
    (name, True) for name, (_, shapes) in FUNCTIONS.items() if len(shapes) > 1
]


@pytest.mark.parametrize(("name", "last_is_shared"), CASES)
def test_a_map_is_the_loop(name: str, last_is_shared: bool) -> None:
    function, shapes = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, *shape)).astype(np.float32) for shape in shapes]
    dims: list[int | None] = [0] * len(arrays)
    if last_is_shared:
        arrays[-1], dims[-1] = arrays[-1][0], None
    tensors = [gc.tensor(array) for array in arrays]

    def example(i: int) -> list[gc.Tensor]:
        operands = (x if dim is None else x[i] for x, dim in zip(tensors, dims, strict=True))
        return flatten(function(*operands))[1]

    single = [example(i) for i in range(3)]
    mapped = gc.vmap(function, in_dims=tuple(dims))
    found = flatten(mapped(*tensors))[1]
    compiled = flatten(gc.compile(mapped, backend="numpy")(*tensors))[1]
    assert len(found) == len(compiled) == len(single[0])
    for position, (one, other) in enumerate(zip(found, compiled, strict=True)):
        wanted = np.stack([each[position].numpy() for each in single])
        assert_same(one.numpy(), wanted, ulps=64, absolute=2e-5, what=f"result {position}")
        assert_same(other.numpy(), one.numpy(), what=f"compiled result {position}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward_and_reverse_mode_give_one_jacobian(name: str) -> None:
    function, shapes = FUNCTIONS[name]
    rng = np.random.default_rng(1)
    tensors = [gc.tensor(rng.normal(size=shape).astype(np.float32)) for shape in shapes]

    def smooth(*operands: Any) -> Any:
        results = [x for x in flatten(function(*operands))[1] if x.dtype is gc.float32]
        return results or gc.zeros(1)

    places = tuple(range(len(tensors)))
    rows = flatten(gc.func.jacrev(smooth, places)(*tensors))[1]
    columns = flatten(gc.func.jacfwd(smooth, places)(*tensors))[1]
    assert len(rows) == len(columns) > 0
    for one, other in zip(rows, columns, strict=True):
        assert one.type == other.type
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-3, atol=1e-4)
