"""A module in several parts that compile side by side and are cached apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.ir.module import Module

ENOUGH = 40_000
"""Characters of text from which on a part is worth a compilation of its own, some 2 ms."""

_NAME = re.compile(r"@([\w.$-]+)")
_HEAD = re.compile(r"define ([^{]*\))")
_LOCAL = re.compile(r"define internal |@\S+ = private ")


@dataclass(frozen=True, slots=True)
class Part:
    """What is compiled on its own.

    Args:
        text: a module as text IR.
        target: the processor, and how much effort to spend.
    """

    text: str
    target: Target


def split(module: Module, enough: int = ENOUGH) -> list[Part]:
    """The parts; together they define what the module does.

    What only a module itself can see, helper functions and constants, is in every part that needs
    it. The text of a part depends on its own functions only, so programs that share kernels share
    compiled parts.

    Args:
        module: the module.
        enough: how many characters make a part; longer functions are parts of their own.
    """
    declarations = module.declarations
    definitions = {name.removeprefix("@"): text for name, text in module.definitions.items()}
    known = {**declarations, **definitions}
    needs = {name: _references(text, known) for name, text in definitions.items()}
    found: list[Part] = []
    for target, names in _by_effort(module, definitions).items():
        parts: list[list[str]] = []
        length = enough
        for name in names:
            local = _locals(name, needs, definitions)
            size = len(definitions[name]) + sum(len(definitions[need]) for need in local)
            if length + size > enough:
                parts.append([])
                length = 0
            parts[-1].append(name)
            length += size
        texts = (_text(module, part, needs, definitions, declarations) for part in parts)
        found += [Part(text, target) for text in texts]
    return found


def _by_effort(module: Module, definitions: Mapping[str, str]) -> dict[Target, list[str]]:
    """What a module exports, by how much effort LLVM shall spend on it."""
    without = replace(module.target, effort=0)
    found: dict[Target, list[str]] = {}
    for name, text in definitions.items():
        if not _LOCAL.match(text):
            target = without if name in module.glue else module.target
            found.setdefault(target, []).append(name)
    return found


def _locals(
    name: str, needs: Mapping[str, Iterable[str]], definitions: Mapping[str, str]
) -> Iterable[str]:
    """The local functions and constants that a function cannot do without."""
    found: dict[str, None] = {}
    pending = [name]
    while pending:
        for need in needs[pending.pop()]:
            if need in definitions and need not in found and _LOCAL.match(definitions[need]):
                found[need] = None
                pending.append(need)
    return found


def _references(text: str, known: Mapping[str, str]) -> list[str]:
    return [name for name in dict.fromkeys(_NAME.findall(text)) if name in known]


def _text(
    module: Module,
    part: Iterable[str],
    needs: Mapping[str, Iterable[str]],
    definitions: Mapping[str, str],
    declarations: Mapping[str, str],
) -> str:
    """The functions of a part, its own copy of local things, and declarations of the rest."""
    exported = dict.fromkeys(part)
    defined: dict[str, None] = {}
    declared: dict[str, str] = {}
    pending = list(exported)
    while pending:
        name = pending.pop()
        if name in defined or name in declared:
            continue
        if name not in definitions:
            declared[name] = declarations[name]
        elif name in exported or _LOCAL.match(definitions[name]):
            defined[name] = None
            pending += needs[name]
        else:
            declared[name] = _declaration(definitions[name])
    ordered = [definitions[name] for name in definitions if name in defined]
    return module.text_of(sorted(declared.values()), ordered)


def _declaration(definition: str) -> str:
    head = _HEAD.match(definition)
    assert head is not None, "only functions are exported"
    return f"declare {head[1]}"
