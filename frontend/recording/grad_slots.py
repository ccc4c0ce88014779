"""Gradients of concrete tensors in a recorded program: before a run, in it, and after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from graphc.allocation import empty_array, zero_array
from graphc.errors import AutogradError
from graphc.frontend.making import concrete
from graphc.provenance import user_location_text
from graphc.runtime.sessions.conditions import Watched
from graphc.storage import Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


@dataclass
class GradSlot:
    """What a recording knows of one tensor's ``grad``.

    Attributes:
        tensor: the tensor whose gradient it is.
        value: the gradient as recorded so far.
        cleared: the program itself set it to None first.
        stepped: an optimizer of the program has used it, and it was not changed since.
        memory: where the gradient lives between runs, if it does; nobody else has this storage.
    """

    tensor: Tensor
    value: Tensor | None
    cleared: bool = False
    stepped: bool = False
    memory: Tensor | None = None

    @property
    def is_local(self) -> bool:
        """True if the gradient ends with a run, so that it is written to no memory."""
        return self.value is None or (self.cleared and self.stepped)

    def set(self, value: Tensor | None) -> None:
        """Note an assignment to ``grad``."""
        self.value, self.cleared, self.stepped = value, True, False

    def own_memory(self) -> Tensor:
        """Memory for a gradient that outlives a run; zeros where there is none yet."""
        if self.memory is None:
            self.memory = concrete(zero_array(self.tensor.shape, self.tensor.dtype.numpy))
            self.memory.is_state = True
        return self.memory

    def connect(self) -> None:
        """Before a run, bring the present gradient to where the program reads and writes it.

        The array of an earlier gradient stays as it is: somebody may hold it.
        """
        if self.memory is None or self._is_connected():
            return
        storage, grad = self.memory.storage, self.tensor._grad
        fresh = empty_array(storage.array.shape, storage.array.dtype)
        fresh[...] = 0 if grad is None else grad.storage.array
        storage.array = fresh

    def publish(self) -> None:
        """After a run, let the tensor's ``grad`` be what the program wrote."""
        if self.memory is None or self.is_local:
            self.tensor._grad = None
        elif not self._is_connected():
            self.tensor._grad = with_own_storage(self.memory)

    def watched(self) -> Iterable[Watched]:
        """While these are as they are, ``connect`` and ``publish`` have nothing to do."""
        grad = self.tensor._grad
        yield self.tensor, "_grad", grad
        if grad is not None:
            yield grad, "storage", grad.storage
            yield grad.storage, "array", grad.storage.array

    def _is_connected(self) -> bool:
        grad, memory = self.tensor._grad, self.memory
        if grad is None or memory is None:
            return False
        return grad.storage.array is memory.storage.array


class ArgumentGrad(NamedTuple):
    """A gradient that a run leaves behind for an argument.

    Attributes:
        position: the argument's place among the program's inputs.
        name: its name.
        value: its gradient, a value of the program.
        replaces: it takes the place of an earlier gradient instead of being added to it.
    """

    position: int
    name: str
    value: Tensor
    replaces: bool


class Arrival(NamedTuple):
    """That a gradient arrives at an argument inside of a program.

    Attributes:
        position: the argument's place among the program's inputs.
        name: its name.
        is_added: it is added to the argument's ``grad``.
    """

    position: int
    name: str
    is_added: bool

    def require_plain(self, argument: Tensor) -> None:
        """Raise for an argument of which more hangs than the program does.

        Raises:
            AutogradError: if it has hooks, or if ``backward`` would go on to what it was made of.
        """
        if argument._hooks is not None:
            raise AutogradError(
                f"a gradient inside a compiled function reached {self.name!r}, an argument with "
                "hooks", got=str(argument.type),
                fix="register the hook inside the function, or call backward() outside of it",
                where=user_location_text(),
            )  # fmt: skip
        if self.is_added and argument._grad_fn is not None:
            raise AutogradError(
                f"backward inside a compiled function reached {self.name!r}, an argument that was "
                "computed from other tensors", got=str(argument.type),
                fix="call backward() outside of the function, or give it "
                "x.detach().requires_grad_()", where=user_location_text(),
            )  # fmt: skip


def with_own_storage(x: Tensor) -> Tensor:
    """A tensor over the same array whose storage is its own, so it can get another array."""
    made = concrete(x.storage.array)
    made.storage = Storage(x.storage.array, x.storage.version)
    return made


class GradLink:
    """See ``graphc.runtime.sessions.session.Link``: keeps a session and ``grad`` together.

    Args:
        slots: those of concrete tensors.
    """

    def __init__(self, slots: Iterable[GradSlot]) -> None:
        self._slots = tuple(slots)

    def before(self) -> None:
        """Bring all gradients to where the program has them."""
        for slot in self._slots:
            slot.connect()

    def after(self) -> None:
        """Let ``grad`` of all tensors be what the program wrote."""
        for slot in self._slots:
            slot.publish()

    def watched(self) -> list[Watched]:
        """While these are as they are, ``before`` and ``after`` have nothing to do."""
        return [each for slot in self._slots for each in slot.watched()]
