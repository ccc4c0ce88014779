"""How modules print: PyTorch's form."""

from __future__ import annotations

from collections.abc import Sequence


def format_module(name: str, extra: str, children: Sequence[tuple[str, str]]) -> str:
    """The text of a module.

    Args:
        name: class name.
        extra: what the module says of itself, a line or several.
        children: names and texts of its modules.
    """
    own = extra.split("\n") if extra else []
    if not children and len(own) <= 1:
        return f"{name}({extra})"
    lines = [*own, *(f"({key}): {_indented(text)}" for key, text in children)]
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def group_repeated(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Numbered texts with neighbours that are equal as one: ``(0-2): 3 x Linear(...)``."""
    groups: list[tuple[int, int, str]] = []
    for position, text in enumerate(texts):
        if groups and groups[-1][2] == text:
            groups[-1] = (groups[-1][0], position, text)
        else:
            groups.append((position, position, text))
    return [
        (str(start), text) if start == stop else (f"{start}-{stop}", f"{stop - start + 1} x {text}")
        for start, stop, text in groups
    ]
