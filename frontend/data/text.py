"""Text as numbers: vocabularies of characters and bytes, and windows to predict the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.data.dataset import Dataset
from graphc.frontend.data.subset import split_sizes
from graphc.frontend.making import concrete
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text
from graphc.storage import Array


class CharVocabulary:
    """Characters and their numbers.

    Args:
        characters: each character once; the first one's number is 0.
        unknown: the character that others are read as; without it they are an error.

    Raises:
        ArgumentError: if a character comes twice, or ``unknown`` is not among them.

    Example:
        >>> from graphc.utils.data import CharVocabulary
        >>> vocabulary = CharVocabulary.of("hello")
        >>> vocabulary.characters, vocabulary.encode("hole")
        ('ehlo', tensor([1, 3, 2, 0]))
        >>> vocabulary.decode([1, 0])
        'he'
    """

    def __init__(self, characters: str, unknown: str | None = None) -> None:
        if len(set(characters)) != len(characters) or (unknown and unknown not in characters):
            raise ArgumentError(
                "CharVocabulary: expected each character once, and the unknown one among them",
                got=f"{characters[:40]!r}, unknown={unknown!r}", where=user_location_text(),
            )  # fmt: skip
        self.characters, self.unknown = characters, unknown
        points = _code_points(characters)
        self._order = np.argsort(points)
        self._points = points[self._order]

    @classmethod
    def of(cls, text: str) -> CharVocabulary:
        """The characters of a text, sorted."""
        return cls("".join(sorted(set(text))))

    def encode(self, text: str) -> Tensor:
        """The characters' numbers, int64.

        Raises:
            ArgumentError: for a character that is not in the vocabulary, if none stands for it.
        """
        points = _code_points(text)
        if not len(self._points) and len(points):
            raise self._unknown(text, 0)
        places = np.minimum(np.searchsorted(self._points, points), len(self._points) - 1)
        numbers = self._order[places] if len(points) else np.empty(0, np.int64)
        missing = self._points[places] != points if len(points) else np.empty(0, bool)
        if missing.any():
            if self.unknown is None:
                raise self._unknown(text, int(missing.argmax()))
            numbers = np.where(missing, self.characters.index(self.unknown), numbers)
        return concrete(numbers.astype(np.int64))

    def _unknown(self, text: str, place: int) -> ArgumentError:
        line = text.count("\n", 0, place) + 1
        return ArgumentError(
            "CharVocabulary: a character is not in the vocabulary",
            got=f"{text[place]!r} in line {line}", fix="unknown=", where=user_location_text(),
        )  # fmt: skip

    def decode(self, tokens: Any) -> str:
        """The text of these numbers."""
        return "".join(self.characters[number] for number in np.asarray(tokens).ravel().tolist())

    def __len__(self) -> int:
        return len(self.characters)


class ByteVocabulary:
    """The bytes of a text in UTF-8: 256 numbers for any language.

    Example:
        >>> from graphc.utils.data import ByteVocabulary
        >>> ByteVocabulary().encode("aé")
        tensor([ 97, 195, 169])
    """

    def encode(self, text: str | bytes) -> Tensor:
        """The bytes' numbers, int64."""
        content = text.encode() if isinstance(text, str) else text
        return concrete(np.frombuffer(content, np.uint8).astype(np.int64))

    def decode(self, tokens: Any) -> str:
        """The text of these bytes; those that are no UTF-8 show as a replacement character."""
        return np.asarray(tokens).ravel().astype(np.uint8).tobytes().decode(errors="replace")

    def __len__(self) -> int:
        return 256


def _code_points(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


class TokenWindows(Dataset[tuple[Tensor, Tensor]]):
    """Windows of a long row of tokens, each with the tokens that come next.

    Args:
        tokens: whole numbers of one dim: a tensor, or an array such as ``numpy.memmap``.
        length: tokens per window.
        stride: tokens from one window's start to the next one's.

    Raises:
        DTypeError: for something else than whole numbers of one dim.
        ArgumentError: for a length or stride below 1, or fewer tokens than one window needs.

    Example:
        >>> import graphc as gc
        >>> from graphc.utils.data import TokenWindows
        >>> windows = TokenWindows(gc.arange(6), length=3)
        >>> len(windows), windows[2]
        (3, (tensor([2, 3, 4]), tensor([3, 4, 5])))
    """

    def __init__(self, tokens: Tensor | Array, length: int, stride: int = 1) -> None:
        values = tokens.array() if isinstance(tokens, Tensor) else np.asanyarray(tokens)
        if values.ndim != 1 or values.dtype.kind not in "iu":
            raise DTypeError(
                "TokenWindows: expected whole numbers of one dim",
                got=f"{values.dtype}{list(values.shape)}", where=user_location_text(),
            )  # fmt: skip
        if length < 1 or stride < 1 or len(values) <= length:
            raise ArgumentError(
                "TokenWindows: no window fits", got=f"{len(values)} tokens, length={length}, "
                f"stride={stride}", expected="length and stride from 1 on, and more tokens than "
                "the length", where=user_location_text(),
            )  # fmt: skip
        self.tokens, self.length, self.stride = values, length, stride

    def __getitem__(self, index: Any) -> tuple[Tensor, Tensor]:
        inputs, targets = self._windows(np.asarray([range(len(self))[index]]))
        return concrete(inputs[0]), concrete(targets[0])

    def __getbatch__(self, indices: Sequence[int]) -> list[Tensor]:
        """These windows and what comes next, ``[B, length]`` each."""
        return [concrete(part) for part in self._windows(np.asarray(indices, np.int64))]

    def _windows(self, numbers: Array) -> tuple[Array, Array]:
        starts = np.where(numbers < 0, numbers + len(self), numbers)[:, None] * self.stride
        taken = self.tokens[starts + np.arange(self.length + 1)].astype(np.int64)
        return np.ascontiguousarray(taken[:, :-1]), np.ascontiguousarray(taken[:, 1:])

    def __len__(self) -> int:
        return (len(self.tokens) - self.length - 1) // self.stride + 1


def split_in_order(tokens: Tensor | Array, lengths: Sequence[int | float]) -> list[Any]:
    """Split a row into consecutive parts: what is held out lies behind what is learned.

    Args:
        tokens: a tensor or an array; it is split along its first dim, without a copy.
        lengths: sizes that add up to the whole, or fractions that add up to 1.

    Raises:
        ArgumentError: if the lengths do not add up.

    Example:
        >>> import graphc as gc
        >>> from graphc.utils.data import split_in_order
        >>> split_in_order(gc.arange(5), [0.6, 0.4])
        [tensor([0, 1, 2]), tensor([3, 4])]
    """
    parts, start = [], 0
    for size in split_sizes("split_in_order", len(tokens), lengths):
        parts.append(tokens[start : start + size])
        start += size
    return parts
