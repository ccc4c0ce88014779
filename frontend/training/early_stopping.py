"""Ending a training run when it gets no better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import ArgumentError
from graphc.frontend.tensor import Tensor
from graphc.frontend.training.scores import Mode, as_score, is_better, require_mode
from graphc.provenance import user_location_text


class EarlyStopping:
    """Tells when a score has not become better for a while.

    Args:
        patience: how many updates without a better score end the run.
        min_delta: by how much a score must be better to count.
        mode: whether smaller (``"min"``) or larger scores are better.

    Attributes:
        best: the best score so far, or None.
        waited: how many updates ago that was.
        should_stop: whether the patience is over.

    Raises:
        ArgumentError: for a patience below 1, a negative delta, or another mode.

    NaN is never better. As a part of a ``TrainState`` it goes on counting after a resume.

    Example:
        >>> from graphc.training import EarlyStopping
        >>> stopping = EarlyStopping(patience=2)
        >>> [stopping.update(loss) for loss in (0.5, 0.3, 0.4, 0.3)]
        [False, False, False, True]
        >>> stopping.best, stopping.waited
        (0.3, 2)
    """

    def __init__(self, patience: int = 10, min_delta: float = 0.0, mode: Mode = "min") -> None:
        require_mode("EarlyStopping", mode)
        if patience < 1 or not min_delta >= 0:
            raise ArgumentError(
                "EarlyStopping: patience must be at least 1, and min_delta at least 0",
                got=f"{patience} and {min_delta}", where=user_location_text(),
            )  # fmt: skip
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best: float | None = None
        self.waited = 0

    @property
    def should_stop(self) -> bool:
        """Whether the patience is over."""
        return self.waited >= self.patience

    def update(self, score: float | Tensor) -> bool:
        """Take a new score into account.

        Args:
            score: a number, or a tensor of one element.

        Returns:
            Whether to stop.
        """
        number = as_score(score)
        if is_better(number, self.best, self.mode, self.min_delta):
            self.best, self.waited = number, 0
        else:
            self.waited += 1
        return self.should_stop

    def state_dict(self) -> dict[str, Any]:
        """The best score, and how long ago it was."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave."""
        self.best, self.waited = state_dict["best"], state_dict["waited"]
