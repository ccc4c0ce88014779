"""The short way to call a compiled function again, with arguments like the latest ones.

A call costs microseconds, so nothing is looked up: what the program depends on is compared by the
native call itself, by one comparison for all state that announces its changes, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.frontend.base import TensorBase
from graphc.frontend.compile.host_tensor import HostTensor
from graphc.frontend.compile.results import Results
from graphc.frontend.guards.changes import announced_changes
from graphc.frontend.guards.guards import Guard
from graphc.frontend.guards.observed import Observed
from graphc.frontend.guards.reads import Reads
from graphc.frontend.modes import modes
from graphc.frontend.recording.grad_slots import GradSlot
from graphc.runtime.sessions.conditions import Conditions, Watched, watch_same
from graphc.runtime.sessions.session import Session


class FastPath:
    """Runs one trace again while arguments and all else are like at its latest slow call.

    Args:
        session: runs the program.
        guards: the Python values that shaped the trace.
        reads: what the trace read of modules.
        slots: the gradients of parameters that a run writes.
        results: makes the function's results of the program's; None if it returns just its one
            result, as it is.
    """

    def __init__(
        self,
        session: Session,
        guards: Sequence[Guard],
        reads: Reads,
        slots: Sequence[GradSlot],
        results: Results | None,
    ) -> None:
        self.session = session
        self._guards, self._reads, self._slots, self._results = guards, reads, slots, results
        self._python_guards = [guard for guard in guards if guard.cell is None]
        self._checked: tuple[object, Sequence[Guard]] = (None, ())
        self._pattern: ArgumentPattern | None = None
        self._watched: list[Watched] | None = None
        self._grad_enabled = modes.grad_enabled

    def run(self, args: Sequence[Any]) -> Any:
        """The function's result, or NotImplemented if something is not as it was.

        Args:
            args: the arguments by position.
        """
        pattern = self._pattern
        if (
            pattern is None
            or len(args) != pattern.count
            or modes.grad_enabled is not self._grad_enabled
            or modes.recorder is not None
            or modes.is_unusual
        ):
            return NotImplemented
        given = args if pattern.takes_all else pattern.inputs_of(args)
        if given is None:
            return NotImplemented
        checked_at, open_guards = self._checked
        if (announced_changes.latest is not checked_at or open_guards) and not self._guards_hold():
            return NotImplemented
        if self._reads.difference() is not None:
            return NotImplemented
        native = self.session.native
        if native is None:
            return NotImplemented
        made = native.boxed(*given)
        results = self._results
        if made is NotImplemented or results is None:
            return made
        return results.made_of([made] if results.is_single else list(made), given, args, {})

    def _guards_hold(self) -> bool:
        """Whether Python values that native calls do not look at are as they were while tracing.

        Guards whose changes are announced are not read again before one is.
        """
        checked_at, open_guards = self._checked
        latest = announced_changes.latest  # before guards are read: a change meanwhile is later
        if latest is checked_at:
            return all(map(_holds, open_guards))
        if not all(map(_holds, self._python_guards)):
            return False
        self._checked = latest, [x for x in self._python_guards if not x.announces_changes]
        return True

    def prepare(self, args: Sequence[Any]) -> None:
        """After a slow call: be ready for calls with arguments like these, if that can be.

        One thread at a time may do so, and while no other runs the program.
        """
        if self._watched is None or self.session.native is not None:
            pattern = ArgumentPattern.of(args)
            ready = pattern is not None and self._watch(pattern)
            self._pattern = pattern if ready else None

    def _watch(self, pattern: ArgumentPattern) -> bool:
        """Let native calls look at the tensors that the program depends on.

        While these are as they are now, guards about them hold, and each gradient is where the
        program reads and writes it, so that nothing has to be done for it before and after a run.
        """
        before, self._watched = self._watched, list(self._watched_cells())
        if not all(map(_holds, self._guards)):
            return False
        if before is None or not watch_same(before, self._watched):
            self.session.set_conditions(Conditions(self._watched, pattern.tracked))
        return True

    def _watched_cells(self) -> Iterator[Watched]:
        for guard in self._guards:
            if guard.cell is not None:
                tensor, name = guard.cell
                yield tensor, name, getattr(tensor, name)
        for slot in self._slots:
            yield from slot.watched()


def _holds(guard: Guard) -> bool:
    return bool(guard.read() == guard.value)


@dataclass(frozen=True)
class ArgumentPattern:
    """What arguments must be like for a call to be like an earlier one.

    Args:
        count: how many there are.
        tensors: positions of tensors and arrays.
        tracked: which of these, counted among themselves, require gradients.
        others: positions of all others, and the very objects that they must be.
        takes_all: whether every argument is an input, and any kind of array will do.
    """

    count: int
    tensors: Sequence[int]
    tracked: frozenset[int]
    others: Sequence[tuple[int, object]]
    takes_all: bool

    @classmethod
    def of(cls, args: Sequence[Any]) -> ArgumentPattern | None:
        """Of these arguments; None if one of them may change inside."""
        tensors: list[int] = []
        tracked: list[int] = []
        others: list[tuple[int, object]] = []
        for position, arg in enumerate(args):
            if isinstance(arg, HostTensor):
                return None
            if isinstance(arg, TensorBase) and arg.is_state:
                others.append((position, arg))
            elif isinstance(arg, TensorBase | np.ndarray):
                if isinstance(arg, TensorBase) and arg._requires_grad:
                    if arg._hooks is not None:
                        return None
                    tracked.append(len(tensors))
                tensors.append(position)
            elif arg is None or isinstance(arg, int | float | str | bytes | Observed):
                others.append((position, arg))
            else:
                return None
        takes_all = not (others or tracked)
        return cls(len(args), tensors, frozenset(tracked), others, takes_all)

    def inputs_of(self, args: Sequence[Any]) -> Sequence[Any] | None:
        """The program's inputs among as many arguments; None if they are not like the earlier ones.

        Shapes and dtypes are compared by the native call.
        """
        given = args
        if self.others:
            for position, value in self.others:
                if args[position] is not value:
                    return None
            given = [args[position] for position in self.tensors]
        for position in self.tracked:
            argument = given[position]
            if not isinstance(argument, TensorBase) or argument._hooks is not None:
                return None
        return given
