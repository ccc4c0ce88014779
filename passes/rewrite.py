"""Rules, and the one driver that applies them to a graph until nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.errors import GraphcError, PassError
from graphc.graph import Graph, has_trait
from graphc.node import CONSTANT, Node
from graphc.opdef import OpDef, Trait
from graphc.ops.shape import expand
from graphc.passes.base import Firing, Journal, Numerics, journal
from graphc.passes.layout import is_contiguous
from graphc.passes.pattern import Apply, Match, Pattern
from graphc.provenance import NOWHERE, Origins, add_origins, describe, made_for, origins_of
from graphc.rebuild import with_inputs

ROUNDS = 100
"""Sweeps over a graph, and changes of one node within a sweep, before a rule counts as looping."""

_UNTOUCHED = Trait.LEAF | Trait.OPAQUE


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a rule returns where it matched but must not apply, with the reason."""

    reason: str


Build = Callable[..., "Node | Refusal | None"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A replacement of matched nodes.

    Args:
        name: the function's name.
        equation: the function's docstring, e.g. ``log(1 + x) = log1p(x)``.
        pattern: what it matches.
        build: gives the replacement from the bindings by name; None where it does not apply.
        needs: the lowest numerics level that allows it; ``strict`` for rules that keep every bit.
        keeps_strides: True for a view in place of an equal view, which numpy strides alike.
    """

    name: str
    equation: str
    pattern: Pattern
    build: Build
    needs: Numerics = "strict"
    keeps_strides: bool = False


def rule(
    pattern: Pattern, *, needs: Numerics = "strict", keeps_strides: bool = False
) -> Callable[[Build], Rule]:
    """Make a rule of a function whose docstring is the equation.

    Args:
        pattern: what the rule matches; its variables are the function's arguments.
        needs: the lowest numerics level that allows it.
        keeps_strides: see ``Rule``.
    """

    def make(build: Build) -> Rule:
        equation = (build.__doc__ or "").strip()
        if not equation:
            raise PassError(f"rule {build.__name__!r} must state its equation in its docstring")
        return Rule(build.__name__, equation, pattern, build, needs, keeps_strides)

    return make


def rewrite(graph: Graph, rules: Iterable[Rule]) -> Graph:
    """Apply the rules, operands first, until none fires.

    The new nodes, and the nodes that survive in place of others, get the origins of all nodes
    that the pattern's operations matched.

    Args:
        graph: the program.
        rules: tried in this order at each node.

    Returns:
        The new graph, or the same object if no rule fired.

    Raises:
        PassError: if the rules never come to rest, or a replacement has another type.
    """
    by_op = _RulesByOp(rules)
    notes = journal()
    settled: set[Node] = set()
    for _ in range(ROUNDS):
        fired = len(notes.firings)
        new = _sweep(graph, by_op, settled, notes)
        graph = graph.replace_roots(new) if len(notes.firings) > fired else graph
        if settled.issuperset(graph.nodes):
            return graph
    raise _never_rests(notes.firings[fired:])


class _RulesByOp:
    """The rules that can match a node, by its operation."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._found: dict[OpDef, tuple[Rule, ...]] = {}

    def of(self, op: OpDef) -> tuple[Rule, ...]:
        found = self._found.get(op)
        if found is None:
            found = tuple(
                each
                for each in self._rules
                if not isinstance(each.pattern, Apply) or each.pattern.op is op
            )
            self._found[op] = found
        return found


def _sweep(
    graph: Graph, rules: _RulesByOp, settled: set[Node], notes: Journal
) -> Mapping[Node, Node]:
    """Rebuild the nodes that change, operands first, and say what each of them becomes.

    ``settled`` are the nodes to which no rule applies; each is looked at once.
    """
    new: dict[Node, Node] = {}
    for node in graph.nodes:
        current = node
        if not new.keys().isdisjoint(node.inputs):
            current = with_inputs(node, tuple(new.get(each, each) for each in node.inputs))
        for _ in range(ROUNDS):
            change = None if current in settled else _first_change(current, rules, notes)
            if change is None:
                break
            current = change
        else:
            raise _never_rests(notes.firings[-ROUNDS:])
        settled.add(current)
        if current is not node:
            new[node] = current
    return new


def _first_change(node: Node, rules: _RulesByOp, notes: Journal) -> Node | None:
    if has_trait(node, _UNTOUCHED):
        return None
    for each in rules.of(node.op):
        if not each.pattern.may_match(node):
            continue
        for match in each.pattern.match(node, Match({})):
            replacement = _replacement(each, node, match, notes)
            if replacement is not None:
                return replacement
    return None


def _replacement(each: Rule, node: Node, match: Match, notes: Journal) -> Node | None:
    origins = _all_origins((*match.nodes, node))
    with made_for(origins):
        built = _build(each, node, match.bindings)
    if isinstance(built, Refusal):
        notes.refuse(f"{each.name}: {built.reason}", node)
        return None
    if built is None or built is node:
        return None
    if not notes.allows(each.needs):
        notes.refuse(f"{each.name}: needs numerics={each.needs!r}", node)
        return None
    same_layout = each.keeps_strides or (is_contiguous(node) and is_contiguous(built))
    if notes.numerics == "strict" and not same_layout:
        notes.refuse(f"{each.name}: numpy may round differently for other strides", node)
        return None
    if not notes.fire(each.name, node, each.needs):
        return None
    if built.op is not CONSTANT:
        add_origins(built, origins)
    return built


def _build(each: Rule, node: Node, bindings: Mapping[str, Any]) -> Node | Refusal | None:
    """The replacement, broadcast to the type of the node that it replaces."""
    try:
        built = each.build(**bindings)
        if not isinstance(built, Node) or built.result_type == node.result_type:
            return built
        if built.type.dtype is node.type.dtype:
            return expand(built, shape=node.type.shape)
    except GraphcError as error:
        raise PassError(
            f"rule {each.name!r} failed: {error}", got=repr(node), where=describe(node)
        ) from error
    raise PassError(
        f"rule {each.name!r} ({each.equation}) changed the type",
        got=str(built.type),
        expected=str(node.type),
        where=describe(node),
    )


def _all_origins(nodes: Iterable[Node]) -> Origins:
    return NOWHERE.union(*map(origins_of, nodes))


def _never_rests(changes: Sequence[Firing]) -> PassError:
    rules = sorted({firing.rule for firing in changes})
    return PassError(
        f"the rewrite rules never come to rest: {', '.join(rules)}",
        got=f"still changing {changes[-1].operation}",
        fix="make each rule's result simpler than what it matches",
        where=changes[-1].place,
    )


@dataclass(frozen=True)
class Rewrite:
    """A pass that applies rules until none fires.

    Args:
        name: the pass's name.
        rules: the rules, tried in this order at each node.
    """

    name: str
    rules: tuple[Rule, ...]
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        """The graph in which no rule applies any more."""
        return rewrite(graph, self.rules)
