"""A progress bar with numbers, by tqdm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from graphc.frontend.base import is_tensor

T = TypeVar("T")


class Progress(Generic[T]):
    """An iterable that shows how far it is.

    Args:
        iterable: what to go through.
        bar: what shows it.
    """

    def __init__(self, iterable: Iterable[T], bar: tqdm[T]) -> None:
        self._iterable, self.bar = iterable, bar

    def __iter__(self) -> Iterator[T]:
        with self.bar:
            for item in self._iterable:
                yield item
                self.bar.update()

    def __len__(self) -> int:
        return len(self._iterable)  # type: ignore[arg-type]  # raises what len raises

    def show(self, **values: Any) -> None:
        """Write numbers behind the bar, the next time that it is drawn.

        Args:
            **values: numbers, tensors of one element, or texts.
        """
        if not self.bar.disable:
            texts = {name: _as_text(value) for name, value in values.items()}
            self.bar.set_postfix(texts, refresh=False)


def progress(
    iterable: Iterable[T], desc: str | None = None, *, total: int | None = None,
    disable: bool | None = None, **options: Any,
) -> Progress[T]:  # fmt: skip
    """Go through an iterable under a progress bar.

    Args:
        iterable: batches, epochs ...
        desc: what stands before the bar.
        total: how many there are; default: the iterable's length, if it has one.
        disable: show nothing; None: only where the output is no terminal.
        **options: of ``tqdm.tqdm``.

    Example:
        >>> from graphc.training import progress
        >>> for number in (bar := progress(range(3), "numbers")):
        ...     bar.show(square=number**2)
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    bar: tqdm[T] = tqdm(total=total, desc=desc, disable=disable, **options)
    return Progress(iterable, bar)


def _as_text(value: Any) -> str:
    number = value.item() if is_tensor(value) else value
    return f"{number:.4g}" if isinstance(number, float) else str(number)
