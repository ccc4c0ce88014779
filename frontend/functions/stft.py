"""Short-time Fourier transforms: of overlapping pieces of a signal, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions import pointwise
from graphc.frontend.functions.complexes import view_as_real
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.creation import ones
from graphc.frontend.functions.fourier import fft, ifft, irfft, rfft
from graphc.frontend.functions.padding import pad
from graphc.frontend.functions.pieces import known_size
from graphc.frontend.functions.rearranging import unfold
from graphc.frontend.functions.shaping import expand, permute, reshape, unsqueeze
from graphc.frontend.making import concrete
from graphc.frontend.nn.functional.padding import pad as pad_edges
from graphc.ops import index as index_ops
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["istft", "stft"]

NEARLY_NOTHING = 1e-11
"""Windows that add up to less do not let the signal be found again."""


class Pieces(NamedTuple):
    """How a signal is cut: points of a piece, points from one to the next, the window on it."""

    points: int
    hop: int
    window: Tensor | None


def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """The Fourier transform of each of many overlapping pieces of a signal.

    Args:
        input: ``(time)`` or ``(batch, time)``, real or complex.
        n_fft: points of a piece.
        hop_length: points from the start of a piece to that of the next; default ``n_fft // 4``.
        win_length: points of the window, in the middle of a piece; default ``n_fft``.
        window: ``(win_length,)``, multiplied with each piece; default ones.
        center: continue the signal so that piece t has its middle at ``t * hop_length``.
        pad_mode: how it is continued: ``"reflect"``, ``"constant"``, ``"replicate"`` or
            ``"circular"``.
        normalized: divide by the root of ``n_fft``.
        onesided: only frequencies up to the half; default: for real signals and windows.
        return_complex: must be given for real signals; False gives a last dim of both parts.
        align_to_window: without ``center``: the first piece's window, not the piece, starts with
            the signal.

    Returns:
        ``(batch, frequencies, pieces)``, without the batch if the input has none.

    Raises:
        ArgumentError: for sizes that do not fit, or half of the frequencies of complex values.

    Source: ``torch.stft``.

    Example:
        >>> import graphc as gc
        >>> gc.stft(gc.ones(8), 4, return_complex=True, window=gc.hann_window(4)).shape
        (3, 9)
    """
    x = _signal(input)
    if center and align_to_window is not None:
        raise _mistake("stft", "align_to_window is for center=False", str(align_to_window))
    pieces = _pieces("stft", n_fft, hop_length, win_length, window)
    is_complex = x.dtype.is_complex or (window is not None and window.dtype.is_complex)
    if return_complex is None and not is_complex:
        raise _mistake("stft", "return_complex must be given for a real signal", "None")
    if onesided and is_complex:
        raise _mistake("stft", "complex values need all frequencies", "onesided=True")
    batch = x if x.ndim == 2 else reshape(x, (1, *x.shape))
    if center:
        spare = pieces.points // 2
        batch = reshape(batch, (batch.shape[0], 1, batch.shape[1]))
        batch = reshape(pad_edges(batch, (spare, spare), pad_mode), (batch.shape[0], -1))
    elif align_to_window and win_length is not None:
        batch = pad(batch, _around(win_length, n_fft))
    if known_size("stft", batch, 1) < pieces.points:
        raise _mistake("stft", "a piece is longer than the signal", f"n_fft={n_fft}, {x.type}")
    parts = unfold(batch, 1, pieces.points, pieces.hop)
    if pieces.window is not None:
        parts = pointwise.mul(parts, pieces.window)
    norm = "ortho" if normalized else "backward"
    half = not is_complex if onesided is None else onesided
    spectrum = rfft(parts, norm=norm) if half else fft(parts, norm=norm)
    result = permute(spectrum, 0, 2, 1)
    result = result if x.ndim == 2 else reshape(result, result.shape[1:])
    return view_as_real(result) if return_complex is False else result


def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal whose ``stft`` with the same arguments is nearest to the input.

    Args:
        input: ``(frequencies, pieces)`` or ``(batch, frequencies, pieces)``, complex.
        n_fft: points of a piece.
        hop_length: see ``stft``.
        win_length: see ``stft``.
        window: see ``stft``.
        center: see ``stft``.
        normalized: see ``stft``.
        onesided: whether the input has the frequencies up to the half only; default: unless it
            has ``n_fft``.
        length: points of the signal, continued by zeros where there are no pieces.
        return_complex: the signal is complex.

    Returns:
        ``(time)`` or ``(batch, time)``.

    Raises:
        ArgumentError: for sizes that do not fit, or windows that leave a gap.

    Source: ``torch.istft``, which warns where this continues by zeros. Gaps between windows are
    found where the window's values are known while recording.
    """
    z = require_tensor("istft", input)
    pieces = _pieces("istft", n_fft, hop_length, win_length, window)
    half = z.shape[-2:-1] != (n_fft,) if onesided is None else onesided
    batch = _spectrum(z, pieces, half)
    if pieces.hop > (win_length or n_fft):
        raise _mistake("istft", "expected 0 < hop_length <= win_length", str(hop_length))
    if return_complex and half:
        raise _mistake("istft", "complex values need all frequencies", "return_complex=True")
    if not return_complex and window is not None and window.dtype.is_complex:
        raise _mistake("istft", "a complex window needs return_complex=True", str(window.type))
    norm = "ortho" if normalized else "backward"
    parts = permute(batch, 0, 2, 1)
    parts = ifft(parts, norm=norm) if return_complex else irfft(parts, n_fft, norm=norm)
    count = known_size("istft", parts, 1)
    window_or_ones = ones(n_fft) if pieces.window is None else pieces.window
    squares = expand(pointwise.square(window_or_ones), 1, count, n_fft)
    total = n_fft + pieces.hop * (count - 1)
    if pieces.window is not None:
        parts = pointwise.mul(parts, pieces.window)
    first = n_fft // 2 if center else 0
    end = first + length if length is not None else total - (first if center else 0)
    stop = max(min(end, total), first)
    signal = narrow(_added(parts, pieces), 1, first, stop)
    envelope = narrow(_added(squares, pieces), 1, first, stop)
    _require_no_gap(envelope)
    result = pointwise.div(signal, envelope)
    if end > total:
        result = pad(result, (0, end - total))
    return result if z.ndim == 3 else reshape(result, result.shape[1:])


def _signal(input: Tensor) -> Tensor:
    x = require_tensor("stft", input)
    if not x.dtype.is_differentiable:
        raise DTypeError(
            "stft: unsupported dtype", got=x.dtype.name, expected="floating point or complex",
            fix="cast it first, e.g. x.float()", where=user_location_text(),
        )  # fmt: skip
    if x.ndim not in (1, 2):
        raise ShapeError(
            "stft: expected (time) or (batch, time)", got=str(x.type), where=user_location_text()
        )
    return x


def _spectrum(z: Tensor, pieces: Pieces, half: bool) -> Tensor:
    if not z.dtype.is_complex:
        raise DTypeError(
            "istft: expected complex numbers", got=z.dtype.name,
            fix="view_as_complex makes them of both parts", where=user_location_text(),
        )  # fmt: skip
    expected = pieces.points // 2 + 1 if half else pieces.points
    if z.ndim not in (2, 3) or z.shape[-2] != expected or z.shape[-1] == 0:
        raise ShapeError(
            f"istft: expected (batch, {expected}, pieces) or ({expected}, pieces)",
            got=f"{z.type}, n_fft={pieces.points}, onesided={half}", where=user_location_text(),
        )  # fmt: skip
    return z if z.ndim == 3 else unsqueeze(z, 0)


def _pieces(
    function: str, n_fft: int, hop_length: int | None, win_length: int | None,
    window: Tensor | None,
) -> Pieces:  # fmt: skip
    """Check the sizes; the window becomes as long as a piece."""
    hop = n_fft // 4 if hop_length is None else hop_length
    size = n_fft if win_length is None else win_length
    if n_fft < 1 or hop < 1:
        raise _mistake(function, "sizes must be positive", f"n_fft={n_fft}, hop_length={hop}")
    if not 0 < size <= n_fft:
        raise _mistake(function, "expected 0 < win_length <= n_fft", f"{size}, n_fft={n_fft}")
    if window is not None and require_tensor(function, window).shape != (size,):
        raise _mistake(function, f"expected a window of {size} points", str(window.type))
    if size == n_fft:
        return Pieces(n_fft, hop, window)
    whole = ones(size) if window is None else window
    return Pieces(n_fft, hop, pad(whole, _around(size, n_fft)))


def _around(size: int, points: int) -> tuple[int, int]:
    """How much to add to put a window into the middle of a piece."""
    before = (points - size) // 2
    return before, points - size - before


def _added(parts: Tensor, pieces: Pieces) -> Tensor:
    """``(batch, pieces, points)`` at their places in one signal, added where they overlap."""
    batch, count, _ = parts.shape
    places = np.arange(int(count))[:, None] * pieces.hop + np.arange(pieces.points)
    added: Tensor = index_ops.index_add(
        permute(parts, 1, 2, 0), concrete(places), shape=(batch, int(places.max()) + 1), dims=(1,)
    )
    return added


def _require_no_gap(envelope: Tensor) -> None:
    if envelope.is_symbolic or not envelope.numel():
        return
    least = float(np.abs(envelope.storage.array).min())
    if least < NEARLY_NOTHING:
        raise _mistake("istft", "the windows leave a gap", f"they add up to {least:.3g}")


def _mistake(function: str, what: str, got: str) -> ArgumentError:
    return ArgumentError(f"{function}: {what}", got=got, where=user_location_text())
