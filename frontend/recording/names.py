"""Names of a program's variables: those that modules suggest, made unique."""

from __future__ import annotations

from graphc.storage import Storage


class VariableNames:
    """The names of one recording."""

    def __init__(self) -> None:
        self._suggested: dict[Storage, str] = {}
        self._taken: set[str] = set()

    def suggest(self, storage: Storage, name: str) -> None:
        """Call the variable in this memory so, unless it has another name already."""
        self._suggested.setdefault(storage, name)

    def suggested(self, storage: Storage) -> str | None:
        """The name that was suggested for a variable in this memory."""
        return self._suggested.get(storage)

    def take(self, name: str) -> str:
        """The name, or one like it if another variable has it."""
        candidate, number = name, 1
        while candidate in self._taken:
            candidate, number = f"{name}.{number}", number + 1
        self._taken.add(candidate)
        return candidate
