"""RNN, LSTM, GRU and their cells against PyTorch's, with states, packed, unbatched, and wrong."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import GraphcError
from tests.torch_oracle import check, torch

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]

Array = Any
STEPS, BATCH, SIZE, HIDDEN = 5, 3, 6, 4


def forms() -> Iterator[tuple[str, dict[str, Any]]]:
    special: dict[str, list[dict[str, Any]]] = {
        "RNN": [{}, {"nonlinearity": "relu"}], "GRU": [{}], "LSTM": [{}, {"proj_size": 2}],
    }  # fmt: skip
    for name, options in special.items():
        for layers, bias, batch_first, both in itertools.product((1, 2), *[(False, True)] * 3):
            for more in options:
                yield name, {"num_layers": layers, "bias": bias, "batch_first": batch_first,
                             "bidirectional": both, **more}  # fmt: skip


FORMS = list(forms())
SOME = FORMS[:: len(FORMS) // 8] + FORMS[-1:]


def title(form: tuple[str, dict[str, Any]]) -> str:
    return "-".join([form[0], *(f"{key[:4]}{value}" for key, value in form[1].items() if value)])


def state_shapes(name: str, options: dict[str, Any]) -> list[tuple[int, ...]]:
    count = options["num_layers"] * (2 if options["bidirectional"] else 1)
    sizes = [options.get("proj_size") or HIDDEN, HIDDEN][: 2 if name == "LSTM" else 1]
    return [(count, BATCH, size) for size in sizes]


def flat(result: Any) -> list[Any]:
    if isinstance(result, tuple | list):
        return [x for part in result for x in flat(part)]
    return [] if result is None else [result]


def called(layer: Any, x: Any, state: tuple[Any, ...]) -> Any:
    if not state:
        return layer(x)
    return layer(x, state if isinstance(layer, nn.LSTM | torch().nn.LSTM) else state[0])


def compare(
    name: str, options: dict[str, Any], dtype: str, compiled: bool,
    run: Callable[[Any, Any, Any, tuple[Any, ...]], Any], x: Array, state: list[Array],
) -> None:  # fmt: skip
    """Outputs and all gradients of ``run(utils, layer, x, state)`` in both libraries."""
    theirs = getattr(torch().nn, name)(SIZE, HIDDEN, **options, dtype=getattr(torch(), dtype))
    ours = getattr(nn, name)(SIZE, HIDDEN, **options, dtype=dtype)
    ours.load_state_dict(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    arrays = [part.astype(dtype) for part in (x, *state)]
    other = [torch().tensor(part).requires_grad_() for part in arrays]
    expected = flat(run(torch().nn.utils.rnn, theirs, other[0], tuple(other[1:])))
    rng = np.random.default_rng(9)
    starts = [rng.normal(size=part.shape).astype(dtype) for part in expected]
    ends = [at for at, part in enumerate(expected) if part.requires_grad]
    torch().autograd.backward(
        [expected[at] for at in ends], [torch().tensor(starts[at]) for at in ends]
    )

    def step(leaves: list[gc.Tensor]) -> list[gc.Tensor]:
        made = flat(run(gc.nn.utils.rnn, ours, leaves[0], tuple(leaves[1:])))
        sum((made[at] * gc.tensor(starts[at])).sum() for at in ends).backward()
        return made

    mine = [gc.tensor(part).requires_grad_() for part in arrays]
    made = (gc.compile(step) if compiled else step)(mine)
    tolerance = 1e-11 if dtype == "float64" else 2e-5
    named = dict(theirs.named_parameters())
    pairs = [*zip(made, expected, strict=True)]
    pairs += [(one.grad, two.grad) for one, two in zip(mine, other, strict=True)]
    pairs += [(p.grad, named[path].grad) for path, p in ours.named_parameters()]
    for one, two in pairs:
        wanted = two.detach().numpy()
        found = one.detach().numpy()
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(found, wanted, rtol=10 * tolerance, atol=10 * tolerance)


def padded(options: dict[str, Any], rng: np.random.Generator) -> Array:
    x = rng.normal(size=(STEPS, BATCH, SIZE))
    return x.swapaxes(0, 1) if options["batch_first"] else x


def run_padded(utils: Any, layer: Any, x: Any, state: tuple[Any, ...]) -> Any:
    return called(layer, x, state)


@pytest.mark.parametrize("form", FORMS, ids=title)
def test_dynamic(form: tuple[str, dict[str, Any]]) -> None:
    name, options = form
    rng = np.random.default_rng(0)
    state = [rng.normal(size=shape) for shape in state_shapes(name, options)]
    compare(name, options, "float64", False, run_padded, padded(options, rng), state)


@pytest.mark.parametrize("form", SOME, ids=title)
@pytest.mark.parametrize("given", [False, True])
def test_compiled(form: tuple[str, dict[str, Any]], given: bool) -> None:
    name, options = form
    rng = np.random.default_rng(0)
    state = [rng.normal(size=shape) for shape in state_shapes(name, options)] if given else []
    compare(name, options, "float32", True, run_padded, padded(options, rng), state)


@pytest.mark.parametrize("form", SOME, ids=title)
@pytest.mark.parametrize(("compiled", "given"), [(False, False), (False, True), (True, True)])
def test_without_a_batch(form: tuple[str, dict[str, Any]], compiled: bool, given: bool) -> None:
    name, options = form
    rng = np.random.default_rng(0)
    shapes = [(shape[0], shape[2]) for shape in state_shapes(name, options)] if given else []
    compare(name, options, "float64", compiled, run_padded, rng.normal(size=(STEPS, SIZE)),
            [rng.normal(size=shape) for shape in shapes])  # fmt: skip


@pytest.mark.parametrize("form", SOME, ids=title)
@pytest.mark.parametrize(
    ("compiled", "given", "lengths"),
    [(False, False, [2, 5, 3]), (False, True, [5, 3, 1]), (False, True, [4, 4, 4]),
     (True, True, [2, 5, 3])],
)  # fmt: skip
def test_packed(
    form: tuple[str, dict[str, Any]], compiled: bool, given: bool, lengths: list[int]
) -> None:
    name, options = form
    rng = np.random.default_rng(0)
    state = [rng.normal(size=shape) for shape in state_shapes(name, options)] if given else []

    def run(utils: Any, layer: Any, x: Any, state: tuple[Any, ...]) -> Any:
        packed = utils.pack_padded_sequence(x, lengths, options["batch_first"], False)
        outputs, last = called(layer, packed, state)
        return outputs.data, utils.pad_packed_sequence(outputs)[0], last

    compare(name, options, "float64", compiled, run, padded(options, rng), state)


@pytest.mark.parametrize("with_bias", [True, False])
def test_lstm_cell_with_a_state(with_bias: bool) -> None:
    theirs = torch().nn.LSTMCell(5, 4, with_bias, dtype=torch().float64)
    ours = nn.LSTMCell(5, 4, with_bias, dtype=gc.float64)
    ours.load_state_dict(theirs.state_dict())

    def program(m: Any, x: Any, h: Any, c: Any) -> Any:
        cell = ours if m is gc else theirs
        return [*cell(x, (h, c)), *cell(x[0], (h[0], c[0]))]

    check(program, *(np.random.default_rng(0).normal(size=(2, n)) for n in (5, 4, 4)), loose=64)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("batch_first", [None, False, True])
@pytest.mark.parametrize("projected", [False, True])
def test_functions(name: str, both: bool, batch_first: bool | None, projected: bool) -> None:
    """``batch_first`` None: packed."""
    if projected and name != "lstm":
        projected = False
    rng = np.random.default_rng(0)
    gates, out = {"lstm": 4, "gru": 3}.get(name, 1) * HIDDEN, 2 if projected else HIDDEN
    directions = 2 if both else 1
    params = []
    for layer in range(2):
        for _ in range(directions):
            size = out * directions if layer else SIZE
            shapes = [(gates, size), (gates, out), (gates,), (gates,)]
            params += [rng.normal(size=s) for s in shapes + [(out, HIDDEN)] * projected]
    sizes = (out, HIDDEN) if name == "lstm" else (out,)
    state = [rng.normal(size=(2 * directions, BATCH, size)) for size in sizes]
    x = rng.normal(size=(8, SIZE) if batch_first is None else (BATCH, STEPS, SIZE))
    if batch_first is False:
        x = x.swapaxes(0, 1)

    def program(m: Any, x: Any, *rest: Any) -> Any:
        hx = rest[: len(sizes)] if name == "lstm" else rest[0]
        others = hx, list(rest[len(sizes) :]), True, 2, 0.0, False, both
        if batch_first is None:
            return getattr(m, name)(x, m.tensor([3, 3, 2]), *others)
        return getattr(m, name)(x, *others, batch_first)

    check(program, x, *state, *params, loose=256, record=False)


CALLS: dict[str, Callable[[Any, Callable[..., Any]], object]] = {
    "no steps": lambda n, z: n.LSTM(3, 4)(z(0, 2, 3)),
    "no steps, batch first": lambda n, z: n.GRU(3, 4, batch_first=True)(z(2, 0, 3)),
    "other size": lambda n, z: n.LSTM(3, 4)(z(2, 2, 2)),
    "four dims": lambda n, z: n.LSTM(3, 4)(z(2, 2, 2, 2)),
    "one dim": lambda n, z: n.GRU(3, 4)(z(3)),
    "dtype": lambda n, z: n.GRU(3, 4)(z(2, 2, 3).double()),
    "dtype of states": lambda n, z: n.GRU(3, 4)(z(2, 2, 3), z(1, 2, 4).double()),
    "batch of states": lambda n, z: n.RNN(3, 4)(z(2, 2, 3), z(1, 1, 4)),
    "layers of states": lambda n, z: n.RNN(3, 4, 2)(z(2, 2, 3), z(1, 2, 4)),
    "size of states": lambda n, z: n.RNN(3, 4)(z(2, 2, 3), z(1, 2, 3)),
    "dims of states": lambda n, z: n.RNN(3, 4)(z(2, 2, 3), z(1, 4)),
    "dims of states without a batch": lambda n, z: n.GRU(3, 4)(z(2, 3), z(1, 1, 4)),
    "cell states": lambda n, z: n.LSTM(3, 4)(z(2, 2, 3), (z(1, 2, 4), z(1, 1, 4))),
    "dims of cell states": lambda n, z: n.LSTM(3, 4)(z(2, 2, 3), (z(1, 4), z(1, 4))),
    "projected states": lambda n, z: n.LSTM(3, 4, proj_size=2)(z(2, 2, 3), (z(1, 2, 4),) * 2),
    "cell: dims": lambda n, z: n.LSTMCell(3, 4)(z(2, 2, 3)),
    "cell: size": lambda n, z: n.GRUCell(3, 4)(z(2, 2)),
    "cell: batch of the state": lambda n, z: n.GRUCell(3, 4)(z(2, 3), z(1, 4)),
    "cell: size of the state": lambda n, z: n.RNNCell(3, 4)(z(2, 3), z(2, 3)),
    "cell: batch of the cell state": lambda n, z: n.LSTMCell(3, 4)(z(2, 3), (z(2, 4), z(1, 4))),
    "cell: size of the cell state": lambda n, z: n.LSTMCell(3, 4)(z(2, 3), (z(2, 4), z(2, 3))),
    "cell: dims of the state": lambda n, z: n.GRUCell(3, 4)(z(2, 3), z(2, 2, 4)),
    "cell: no batch, state": lambda n, z: n.GRUCell(3, 4)(z(3), z(1, 4)),
    "cell: nonlinearity": lambda n, z: n.RNNCell(3, 4, nonlinearity="x")(z(2, 3)),
    "mode": lambda n, z: n.RNNBase("X", 1, 2),
    "no forward": lambda n, z: n.RNNBase("GRU", 1, 2)(z(1, 1, 1)),
    "nonlinearity": lambda n, z: n.RNN(1, 2, nonlinearity="x"),
    "projection of a GRU": lambda n, z: n.GRU(1, 2, proj_size=1),
    "projection of an RNN": lambda n, z: n.RNN(1, 2, proj_size=0),
    "projection": lambda n, z: n.LSTM(1, 2, proj_size=2),
    "negative projection": lambda n, z: n.LSTM(1, 2, proj_size=-1),
    "input_size": lambda n, z: n.LSTM(0, 2),
    "input_size's type": lambda n, z: n.LSTM(1.0, 2),
    "hidden_size": lambda n, z: n.LSTM(1, -1),
    "hidden_size's type": lambda n, z: n.LSTM(1, "2"),
    "num_layers": lambda n, z: n.LSTM(1, 2, 0),
    "num_layers's type": lambda n, z: n.LSTM(1, 2, 1.5),
    "bias": lambda n, z: n.LSTM(1, 2, bias=1),
    "batch_first": lambda n, z: n.LSTM(1, 2, batch_first=0),
    "dropout": lambda n, z: n.LSTM(1, 2, dropout=2),
    "negative dropout": lambda n, z: n.LSTM(1, 2, dropout=-0.5),
    "dropout's type": lambda n, z: n.LSTM(1, 2, dropout=True),
    "dropout as text": lambda n, z: n.LSTM(1, 2, dropout="a"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_errors_are_of_pytorchs_kind(name: str) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - whatever PyTorch raises
        CALLS[name](torch().nn, lambda *shape: torch().zeros(shape))
    with pytest.raises((GraphcError, NotImplementedError)) as ours:
        CALLS[name](nn, lambda *shape: gc.zeros(shape))
    assert isinstance(ours.value, theirs.type)


def test_dropout_without_layers_to_be_between() -> None:
    for module in (nn, torch().nn):
        with pytest.warns(UserWarning, match="num_layers"):
            module.GRU(1, 2, dropout=0.5)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_batch_of_none(name: str) -> None:
    check(lambda m, x: [x_.sum() for x_ in flat(same(m, name)(x))], np.zeros((3, 0, SIZE)))


def same(m: Any, name: str) -> Any:
    return getattr(m.nn, name)(SIZE, HIDDEN, dtype=m.float64)
