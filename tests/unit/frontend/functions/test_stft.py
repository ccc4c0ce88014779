"""Short-time transforms and windows against PyTorch, and back to the signal without it."""

from typing import Any

import numpy as np
import pytest
import scipy.signal

import graphc as gc
from graphc.errors import ArgumentError, DTypeError, ShapeError
from tests.backends import EXECUTIONS, Execution
from tests.closeness import assert_same
from tests.torch_oracle import assert_near, check, torch

FORWARD: list[dict[str, Any]] = [
    {},
    {"hop_length": 3},
    {"hop_length": 8},
    {"win_length": 5},
    {"center": False},
    {"center": False, "win_length": 4, "align_to_window": True},
    {"center": False, "win_length": 5, "align_to_window": False},
    {"pad_mode": "constant"},
    {"pad_mode": "replicate"},
    {"pad_mode": "circular"},
    {"normalized": True},
    {"onesided": False},
    {"return_complex": False},
]


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", FORWARD, ids=str)
@pytest.mark.parametrize("n_fft", [8, 7])
def test_pieces_of_real_signals(
    n_fft: int, options: dict[str, Any], rng: np.random.Generator
) -> None:
    if options.get("align_to_window") and n_fft % 2:
        pytest.skip("PyTorch reads beyond the signal")
    options = {"return_complex": True, **options}
    window = rng.uniform(0.5, 1, options.get("win_length", n_fft))
    for shape in ((21,), (2, 16)):
        x = rng.normal(size=shape)
        check(lambda m, x: m.stft(x, n_fft, **options), x, loose=50)
        check(lambda m, x, w: m.stft(x, n_fft, window=w, **options), x, window, loose=50)
        check(lambda m, x, w: x.stft(n_fft, window=w, **options), x, window, loose=50)


@pytest.mark.parity
@pytest.mark.parametrize("options", FORWARD[:11], ids=str)
def test_pieces_of_complex_signals(options: dict[str, Any], rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 20)) + 1j * rng.normal(size=(2, 20))
    window = rng.uniform(0.5, 1, options.get("win_length", 8))
    check(lambda m, x: m.stft(x, 8, **options), x, loose=50)
    check(lambda m, x, w: m.stft(x, 8, window=w * 1j, **options), x, window, loose=50)
    check(lambda m, x, w: m.stft(m.real(x), 8, window=w * 1j, **options), x, window, loose=50)


BACKWARD: list[dict[str, Any]] = [
    {}, {"hop_length": 3}, {"win_length": 6}, {"normalized": True}, {"length": 9},
    {"length": 30}, {"onesided": False}, {"onesided": False, "return_complex": True},
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", BACKWARD, ids=str)
@pytest.mark.parametrize("n_fft", [8, 9])
def test_signals_from_pieces(n_fft: int, options: dict[str, Any], rng: np.random.Generator) -> None:
    rows = n_fft // 2 + 1 if options.get("onesided", True) else n_fft
    window = rng.uniform(0.5, 1, options.get("win_length", n_fft))
    for shape in ((rows, 7), (2, rows, 5)):
        z = rng.normal(size=shape) + 1j * rng.normal(size=shape)
        check(lambda m, z, w: m.istft(z, n_fft, window=w, **options), z, window, loose=100)
        check(lambda m, z: z.istft(n_fft, **options), z, loose=100)
        if "win_length" not in options:  # the window does not reach the first points
            check(lambda m, z, w: m.istft(z, n_fft, window=w, **options, center=False), z, window,
                  loose=100)  # fmt: skip


@pytest.mark.parametrize("n_fft", [8, 16])
@pytest.mark.parametrize("normalized", [False, True])
def test_there_and_back(n_fft: int, normalized: bool, rng: np.random.Generator) -> None:
    x = gc.tensor(rng.normal(size=(3, 50)))
    window = gc.hann_window(n_fft, dtype=gc.float64)
    z = gc.stft(x, n_fft, window=window, normalized=normalized, return_complex=True)
    again = gc.istft(z, n_fft, window=window, normalized=normalized, length=50)
    np.testing.assert_allclose(again.numpy(), x.numpy(), atol=1e-12)


def test_a_piece_is_a_transform(rng: np.random.Generator) -> None:
    x = rng.normal(size=12).astype(np.float32)
    z = gc.stft(gc.tensor(x), 4, 3, center=False, return_complex=True)
    want = np.stack([np.fft.rfft(x[at : at + 4]) for at in (0, 3, 6)], 1).astype(np.complex64)
    assert_same(z.numpy(), want, absolute=1e-6, signed_zero=False)


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
def test_compiled(execution: Execution, rng: np.random.Generator) -> None:
    def through(x: gc.Tensor) -> gc.Tensor:
        window = gc.hann_window(8)
        spectrum = gc.stft(x, 8, window=window, return_complex=True)
        return gc.istft(spectrum * spectrum.abs(), 8, window=window)

    x = rng.normal(size=(2, 32)).astype(np.float32)
    graph = gc.trace(through, gc.TensorSpec((2, 32)))
    found = graph.compile(**execution.options()).run({"x": x})
    slack = {} if execution.exact else {"ulps": 16, "absolute": 1e-5}
    assert_same(found, through(gc.tensor(x)).numpy(), **slack)


def test_refuses() -> None:
    x = gc.ones(20)
    z = gc.stft(x, 8, return_complex=True)
    for mistake, message in (
        ({}, "return_complex must be given"),
        ({"onesided": True, "window": gc.ones(8) * 1j}, "all frequencies"),
        ({"align_to_window": True, "return_complex": True}, "center=False"),
        ({"win_length": 9, "return_complex": True}, "win_length <= n_fft"),
        ({"window": gc.ones(7), "return_complex": True}, "window of 8 points"),
        ({"hop_length": 0, "return_complex": True}, "must be positive"),
    ):
        with pytest.raises(ArgumentError, match=message):
            gc.stft(x, 8, **mistake)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="longer than the signal"):
        gc.stft(x, 30, center=False, return_complex=True)
    with pytest.raises(ShapeError, match="expected \\(time\\)"):
        gc.stft(gc.ones(2, 3, 4), 2, return_complex=True)
    with pytest.raises(DTypeError, match="unsupported dtype"):
        gc.stft(x.long(), 8, return_complex=True)
    with pytest.raises(DTypeError, match="complex numbers"):
        gc.istft(z.real, 8)
    with pytest.raises(ShapeError, match=r"\(batch, 5, pieces\)"):
        gc.istft(z[:4], 8)
    with pytest.raises(ArgumentError, match="leave a gap"):
        gc.istft(z, 8, window=gc.zeros(8))
    with pytest.raises(ArgumentError, match="hop_length <= win_length"):
        gc.istft(z, 8, hop_length=7, win_length=6)
    with pytest.raises(ArgumentError, match="all frequencies"):
        gc.istft(z, 8, return_complex=True)


WINDOWS: dict[str, list[dict[str, Any]]] = {
    "hann": [{}], "blackman": [{}], "bartlett": [{}],
    "hamming": [{}, {"alpha": 0.6, "beta": 0.3}], "kaiser": [{}, {"beta": 3.0}],
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name: str, periodic: bool) -> None:
    for options in WINDOWS[name]:
        for length in (0, 1, 2, 5, 8):
            for dtype in ("float32", "float64", "float16"):
                ours, theirs = (
                    getattr(m, f"{name}_window")(
                        length, periodic, dtype=getattr(m, dtype), **options
                    )
                    for m in (gc, torch())
                )
                rough = name == "kaiser" and dtype == "float64"  # PyTorch's Bessel function
                assert_near(
                    ours.numpy(), theirs.numpy(), loose=1e9 if rough else 10,
                    what=f"{name} {length}",
                )  # fmt: skip


SIGNAL: dict[str, list[dict[str, Any]]] = {
    "bartlett": [{}], "blackman": [{}], "cosine": [{}], "hamming": [{}], "hann": [{}],
    "nuttall": [{}], "gaussian": [{}, {"std": 2.5}], "kaiser": [{}, {"beta": 3.0}],
    "exponential": [{}, {"tau": 2.5}, {"tau": 0.5, "center": 1.0, "sym": False}],
    "general_cosine": [{"a": [0.5, 0.3, 0.2, 0.1]}, {"a": [1.0]}],
    "general_hamming": [{}, {"alpha": 0.4}],
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("length", [0, 1, 2, 5, 8])
@pytest.mark.parametrize("name", SIGNAL)
def test_signal_windows(name: str, length: int) -> None:
    for options in SIGNAL[name]:
        for sym in (True, False):
            for dtype in ("float32", "float64"):
                ours, theirs = (
                    getattr(m.signal.windows, name)(
                        length, **{"sym": sym, "dtype": getattr(m, dtype), **options}
                    )
                    for m in (gc, torch())
                )
                rough = name == "kaiser" and dtype == "float64"  # PyTorch's Bessel function
                assert_near(ours.numpy(), theirs.numpy(), loose=1e9 if rough else 10)


@pytest.mark.parametrize("sym", [True, False])
def test_signal_windows_are_scipys(sym: bool) -> None:
    for name, options in (("nuttall", {}), ("blackman", {}), ("kaiser", {"beta": 3.0}),
                          ("gaussian", {"std": 2.0}), ("cosine", {})):  # fmt: skip
        ours = getattr(gc.signal.windows, name)(7, sym=sym, dtype=gc.float64, **options)
        theirs = getattr(scipy.signal.windows, name)(7, *options.values(), sym=sym)
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-15)


def test_signal_windows_refuse() -> None:
    windows = gc.signal.windows
    with pytest.raises(ArgumentError, match="deviation"):
        windows.gaussian(4, std=0.0)
    with pytest.raises(ArgumentError, match="tau"):
        windows.exponential(4, tau=0.0)
    with pytest.raises(ArgumentError, match="middle"):
        windows.exponential(4, center=1.0)
    with pytest.raises(ArgumentError, match="beta"):
        windows.kaiser(4, beta=-1.0)
    with pytest.raises(ArgumentError, match="one weight"):
        windows.general_cosine(4, a=[])
    with pytest.raises(ArgumentError, match="no such device"):
        windows.hann(4, device="cuda")


def test_windows_refuse() -> None:
    assert gc.hann_window(4, requires_grad=True).requires_grad
    with pytest.raises(ArgumentError, match="negative"):
        gc.hann_window(-1)
    with pytest.raises(DTypeError, match="floating point"):
        gc.hann_window(4, dtype=gc.int64)
