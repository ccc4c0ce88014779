"""Read imports out of source text with `ast`: no import runs, nothing needs to be installed."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Import:
    """One import: ``import module`` or ``from module import names``, and when it runs.

    A relative import has a module that starts with a dot; a computed one, the module ``?``.
    """

    module: str
    names: tuple[str, ...]
    line: int
    local: bool  # inside a function: it runs when called
    typing_only: bool  # under `if TYPE_CHECKING`: it never runs

    @property
    def paths(self) -> tuple[str, ...]:
        """The module, and what is taken from it: submodules, or names inside it."""
        return (self.module, *(f"{self.module}.{name}" for name in self.names))

    def touches(self, *packages: str) -> bool:
        """Whether anything imported is one of `packages` or lies in one."""
        return any(within(path, package) for path in self.paths for package in packages)


def within(name: str, package: str) -> bool:
    """Whether a dotted name is `package` or lies in it."""
    return name == package or name.startswith(package + ".")


def imports(source: str) -> Iterator[Import]:
    """Yield every import of `source`: the statements, and calls of ``import_module``."""
    yield from _walk(ast.parse(source), local=False, typing_only=False)


def cycles(sources: Mapping[str, str]) -> list[list[str]]:
    """Return the groups of modules that need each other when they load.

    `sources` maps module names to source text. Imports in functions and under TYPE_CHECKING do
    not run at load, and ``from package import submodule`` needs the submodule only.
    """
    needs = {name: _needed_at_load(source, sources) for name, source in sources.items()}
    reach = {name: _reachable(name, needs) for name in needs}
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach[other]))
        for name in needs
        if name in reach[name]
    }
    return sorted(map(list, groups))


def _walk(node: ast.AST, *, local: bool, typing_only: bool) -> Iterator[Import]:
    match node:
        case ast.Import():
            for alias in node.names:
                yield Import(alias.name, (), node.lineno, local, typing_only)
        case ast.ImportFrom():
            module = "." * node.level + (node.module or "")
            names = tuple(alias.name for alias in node.names)
            yield Import(module, names, node.lineno, local, typing_only)
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
            args=[argument, *_],
        ):
            literal = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            module = argument.value if literal else "?"
            yield Import(module, (), node.lineno, local, typing_only)
    local = local or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    guarded: list[ast.stmt] = []
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        guarded = node.body
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, local=local, typing_only=typing_only or child in guarded)


def _needed_at_load(source: str, known: Mapping[str, str]) -> set[str]:
    needed: set[str] = set()
    for one in imports(source):
        if one.local or one.typing_only:
            continue
        submodules = {path for path in one.paths[1:] if path in known}
        needed |= submodules
        if len(submodules) < len(one.names) or not one.names:
            needed |= {one.module} & known.keys()
    return needed


def _reachable(start: str, needs: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(needs[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(needs[name])
    return found
