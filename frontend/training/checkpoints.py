"""Checkpoints of a training run: written now and then, the last and the best ones kept."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

from graphc.errors import ArgumentError, CheckpointError, DamagedCheckpointError
from graphc.frontend.saving.atomic_file import leftovers
from graphc.frontend.saving.load import load
from graphc.frontend.saving.save import PathLike, save
from graphc.frontend.tensor import Tensor
from graphc.frontend.training.scores import Mode, as_score, is_better, require_mode
from graphc.frontend.training.train_state import RUN, TrainState
from graphc.provenance import user_location_text

_NAME = re.compile(r"step-(\d+)\.safetensors")
_KEPT = "kept"
"""In each file: the steps and scores of the files that are kept with it."""


class CheckpointWarning(UserWarning):
    """A checkpoint that could not be read was passed over."""


class Checkpoints:
    """The checkpoints of one training run, in a folder of their own.

    Args:
        folder: made if it does not exist.
        state: what to save and to load.
        keep_last: how many of the newest files to keep; 2 or more survive that one is damaged.
        keep_best: how many of those with the best scores to keep beside them.
        mode: whether smaller (``"min"``) or larger scores are better.
        resume: go on from the newest file that can be read, if there is one. Files that are
            damaged are passed over with a ``CheckpointWarning``.

    Attributes:
        resumed: the file that the run goes on from, or None.

    Raises:
        CheckpointError: if the folder has checkpoints and ``resume`` is False, if none of them
            is whole, or if the newest is of a later version or does not fit.
        ArgumentError: for counts that make no sense, or another mode.

    A process may be killed at any time, also while it saves: what was saved before is whole.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> from graphc.training import Checkpoints, TrainState
        >>> state = TrainState(model=nn.Linear(2, 1))
        >>> checkpoints = Checkpoints("run", state, keep_last=1, resume=True)
        >>> for loss in (0.5, 0.2, 0.3, 0.4):
        ...     state.step += 1
        ...     _ = checkpoints.save(score=loss)
        >>> [path.stem for path in checkpoints.paths], checkpoints.best.stem
        (['step-0000000002', 'step-0000000004'], 'step-0000000002')
    """

    def __init__(
        self, folder: PathLike, state: TrainState, *, keep_last: int = 2, keep_best: int = 1,
        mode: Mode = "min", resume: bool = False,
    ) -> None:  # fmt: skip
        require_mode("Checkpoints", mode)
        for name, count, least in (("keep_last", keep_last, 1), ("keep_best", keep_best, 0)):
            if count < least:
                raise ArgumentError(
                    f"Checkpoints: {name} must be at least {least}", got=str(count),
                    where=user_location_text(),
                )  # fmt: skip
        self.folder, self.state = Path(folder), state
        self._keep_last, self._keep_best, self._mode = keep_last, keep_best, mode
        self._scores: dict[int, float | None] = {}
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._files() and not resume:
            raise CheckpointError(
                "Checkpoints: the folder has checkpoints of another run", got=str(self.folder),
                fix="resume=True to go on from them, or another folder",
                where=user_location_text(),
            )  # fmt: skip
        for path in leftovers(self.folder, "step-*.safetensors"):
            path.unlink(missing_ok=True)
        self.resumed = self._resume()

    @property
    def paths(self) -> list[Path]:
        """The files that are kept, by step."""
        return [self._path(step) for step in sorted(self._scores)]

    @property
    def latest(self) -> Path | None:
        """The newest file, or None."""
        return self._path(max(self._scores)) if self._scores else None

    @property
    def best(self) -> Path | None:
        """The file with the best score, or None if none has a score."""
        best = self._best(1)
        return self._path(best[0]) if best else None

    def save(self, score: float | Tensor | None = None) -> Path:
        """Write the state, and remove the files that need not be kept any longer.

        Args:
            score: how good the model is, for ``keep_best``.

        Returns:
            The file, named after ``state.step``.

        Raises:
            ArgumentError: for values that cannot be saved, or a step before the last one.
        """
        step = self.state.step
        if self._scores and step < max(self._scores):
            raise ArgumentError(
                "Checkpoints: the steps must be counted upward", got=f"step {step}",
                expected=f"at least {max(self._scores)}, which is saved already",
                fix="state.step += 1 after each step", where=user_location_text(),
            )  # fmt: skip
        before = dict(self._scores)
        self._scores[step] = None if score is None else as_score(score)
        kept = {*sorted(self._scores)[-self._keep_last :], *self._best(self._keep_best)}
        self._scores = {each: self._scores[each] for each in sorted(kept)}
        state = self.state.state_dict()
        state[RUN][_KEPT] = self._scores
        path = self._path(step)
        try:
            save(state, path)
        except BaseException:
            self._scores = before
            raise
        self._remove_others(step)
        return path

    def load(self, path: PathLike | None = None) -> None:
        """Take over what a file has, such as the best one's weights after training.

        Args:
            path: the file; default: the newest.

        Raises:
            CheckpointError: if it cannot be read or does not fit, or if there is none.
        """
        chosen = path or self.latest
        if chosen is None:
            raise CheckpointError("Checkpoints: nothing was saved yet", got=str(self.folder))
        self.state.load_state_dict(load(chosen))

    def _resume(self) -> Path | None:
        files = self._files()
        for step in sorted(files, reverse=True):
            try:
                found = load(files[step])
            except DamagedCheckpointError as error:
                warnings.warn(f"passed over: {error}", CheckpointWarning, stacklevel=3)
                continue
            self.state.load_state_dict(found)
            scores: dict[int, float | None] = found[RUN].get(_KEPT, {})
            self._scores = {each: score for each, score in scores.items() if each in files}
            return files[step]
        if files:
            raise CheckpointError(
                "Checkpoints: none of the files can be read", got=str(self.folder),
                fix="remove them to start anew", where=user_location_text(),
            )  # fmt: skip
        return None

    def _best(self, count: int) -> list[int]:
        """The steps with the best scores, the best first; of equal ones the earliest."""
        best: list[int] = []
        scores = {step: score for step, score in self._scores.items() if score is not None}
        while len(best) < count:
            leader: int | None = None
            for step in sorted(scores.keys() - set(best)):
                than = None if leader is None else scores[leader]
                if is_better(scores[step], than, self._mode):
                    leader = step
            if leader is None:
                break
            best.append(leader)
        return best

    def _remove_others(self, newest: int) -> None:
        """Files of later steps stay: they are of a run that went further and was damaged."""
        for step, path in self._files().items():
            if step <= newest and step not in self._scores:
                path.unlink(missing_ok=True)

    def _files(self) -> dict[int, Path]:
        matches = [(_NAME.fullmatch(name), name) for name in os.listdir(self.folder)]
        return {int(match[1]): self.folder / name for match, name in matches if match}

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:010d}.safetensors"
