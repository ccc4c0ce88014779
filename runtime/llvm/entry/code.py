"""Writes one function that works on pointers and words: loads, checks, calls and loops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Code:
    """The text of a function, in the order of the calls.

    Args:
        head: the function's type, name and parameters, e.g. ``"i1 @fits(ptr %array)"``.
        refuse: what it does where a requirement does not hold, e.g. ``"ret i1 false"``.
        exported: whether it can be called from outside the module.
    """

    def __init__(self, head: str, refuse: str = "", *, exported: bool = False) -> None:
        # Unwind tables: the interpreter ends threads of a process that exits by unwinding them.
        self._head = f"define {'' if exported else 'internal '}{head} uwtable"
        self._refuse = refuse
        self._lines: list[str] = []
        self._block = "entry"
        self._count = 0

    def text(self) -> str:
        """The whole function."""
        ends = ["refuse:", *(f"  {line}" for line in self._refuse.splitlines())]
        lines = [f"{self._head} {{", "entry:", *self._lines, *(ends if self._refuse else []), "}"]
        return "\n".join(lines)

    def emit(self, line: str) -> None:
        """An instruction without a result."""
        self._lines.append(f"  {line}")

    def value(self, expression: str) -> str:
        """An instruction with a result, and the result's name."""
        name = self._fresh("v")
        self.emit(f"%{name} = {expression}")
        return f"%{name}"

    def at(self, base: str, offset: int | str) -> str:
        """The address so many bytes behind another."""
        return self.value(f"getelementptr i8, ptr {base}, i64 {offset}")

    def load(self, type_: str, base: str, offset: int = 0) -> str:
        """What is at an address."""
        return self.value(f"load {type_}, ptr {self.at(base, offset)}, align {_align(type_)}")

    def word(self, base: str, index: int, type_: str = "ptr") -> str:
        """A word of a record."""
        return self.load(type_, base, 8 * index)

    def store(self, type_: str, value: str, base: str, offset: int = 0) -> None:
        """Write to an address."""
        self.emit(f"store {type_} {value}, ptr {self.at(base, offset)}, align {_align(type_)}")

    def set_word(self, base: str, index: int, value: str) -> None:
        """Write a word of a record, an ``i64``."""
        self.store("i64", value, base, 8 * index)

    def equal(self, type_: str, a: str, b: str) -> str:
        """Whether two values are the same."""
        return self.value(f"icmp eq {type_} {a}, {b}")

    def require(self, condition: str) -> None:
        """Go on only if the condition holds; else do what the function does in this case."""
        self.branch(condition, "refuse")

    def branch(self, condition: str, otherwise: str) -> None:
        """Go on only if the condition holds; else at another label."""
        name = self._fresh("on")
        self.emit(f"br i1 {condition}, label %{name}, label %{otherwise}")
        self.label(name)

    def label(self, name: str) -> None:
        """Start a block."""
        self._lines.append(f"{name}:")
        self._block = name

    @contextmanager
    def only_if(self, condition: str) -> Iterator[None]:
        """What is written inside happens only if the condition holds."""
        name = self._fresh("if")
        self.emit(f"br i1 {condition}, label %{name}, label %{name}.end")
        self.label(name)
        yield
        self.emit(f"br label %{name}.end")
        self.label(f"{name}.end")

    @contextmanager
    def each(self, first: str, count: str, words: int) -> Iterator[tuple[str, str]]:
        """What is written inside happens for each item of a list; gives its address and number.

        Args:
            first: the address of the first item.
            count: how many items there are, perhaps none.
            words: how long one item is.
        """
        name, before = self._fresh("each"), self._block
        index = f"%{name}.index"
        self.emit(f"br label %{name}")
        self.label(name)
        self.emit(f"{index} = phi i64 [ 0, %{before} ], [ %{name}.following, %{name}.latch ]")
        self.emit(f"%{name}.more = icmp slt i64 {index}, {count}")
        self.emit(f"br i1 %{name}.more, label %{name}.body, label %{name}.end")
        self.label(f"{name}.body")
        offset = self.value(f"mul i64 {index}, {8 * words}")
        yield self.at(first, offset), index
        self.emit(f"br label %{name}.latch")
        self.label(f"{name}.latch")
        self.emit(f"%{name}.following = add i64 {index}, 1")
        self.emit(f"br label %{name}")
        self.label(f"{name}.end")

    def _fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"


def _align(type_: str) -> int:
    return {"ptr": 8, "i64": 8, "double": 8, "i32": 4, "float": 4}[type_]
