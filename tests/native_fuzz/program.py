"""What a program of the fuzzer is: sources and steps, which of them it returns, what it updates."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

import graphc as gc
from tests.programs.base import Array

Role = Literal["input", "variable", "constant"]
Updates = Literal["none", "exchange", "by hand", "sgd", "adam"]
Spread = Callable[[Sequence[Array], Array], Any]
"""Operands and result in float64 -> what rounding errors of the result are proportional to."""


@dataclass(frozen=True, eq=False)
class Source:
    """A value that is there from the start.

    Args:
        array: its values; they may lie in memory in any way.
        role: what it is in the recorded graph.
        exact: whether it is the same bits on every backend; variables that are updated are not.
    """

    array: Array
    role: Role
    exact: bool

    def __str__(self) -> str:
        layout = "" if self.array.flags.c_contiguous else f" strides {self.array.strides}"
        return f"{self.role} {self.array.dtype}{list(self.array.shape)}{layout}"


@dataclass(frozen=True, eq=False)
class Step:
    """One operation on earlier values.

    Args:
        text: how the operation reads.
        operands: positions of values.
        apply: the operation.
        exact: whether the result is the same bits on every backend.
        spread: for rounding errors that are not in proportion to the result.
    """

    text: str
    operands: tuple[int, ...]
    apply: Callable[..., Any]
    exact: bool
    spread: Spread | None = None

    def __str__(self) -> str:
        return f"{self.text} {' '.join(f'%{i}' for i in self.operands)}"


Item = Source | Step
Hook = Callable[[Step, Sequence[Any], Any, int], Any]
"""Step, operands, result and position -> what stands for the result."""


@dataclass(frozen=True)
class Program:
    """Sources and steps in order.

    Args:
        items: each makes one value.
        results: positions of the values that it returns.
        updates: what it does with its variables at the end.
        seed: of its random numbers.
        runs: how often it runs in a row.
    """

    items: tuple[Item, ...]
    results: tuple[int, ...]
    updates: Updates
    seed: int
    runs: int

    def __str__(self) -> str:
        lines = [f"%{n} = {item}" for n, item in enumerate(self.items)]
        return "\n".join([*lines, f"return {self.results}; updates: {self.updates}"])

    def places(self, role: Role) -> list[int]:
        """Positions of the sources with this role."""
        return [
            n for n, item in enumerate(self.items) if isinstance(item, Source) and item.role == role
        ]

    def pruned(self) -> Program:
        """Without what no result needs."""
        needed = {*self.results, *(self.places("variable") if self.updates != "none" else ())}
        for position in range(len(self.items) - 1, -1, -1):
            item = self.items[position]
            if position in needed and isinstance(item, Step):
                needed.update(item.operands)
        new = {old: n for n, old in enumerate(sorted(needed))}
        items = []
        for old in new:
            item = self.items[old]
            if isinstance(item, Step):
                item = replace(item, operands=tuple(new[i] for i in item.operands))
            items.append(item)
        return replace(self, items=tuple(items), results=tuple(new[i] for i in self.results))

    def evaluate(self, sources: dict[int, Any], hook: Hook | None = None) -> list[Any]:
        """All values, given those of the sources."""
        values: list[Any] = []
        for position, item in enumerate(self.items):
            if isinstance(item, Source):
                values.append(sources[position])
                continue
            operands = [values[i] for i in item.operands]
            value = item.apply(*operands)
            values.append(value if hook is None else hook(item, operands, value, position))
        return values

    def step(
        self, sources: dict[int, Any], optimizer: Any, hook: Hook | None = None
    ) -> dict[str, Any]:
        """One run: the results, and gradients, by name; variables are updated in place."""
        values = self.evaluate(sources, hook)
        results = {f"r{n}": values[p].detach().clone() for n, p in enumerate(self.results)}
        variables = {n: sources[n] for n in self.places("variable")}
        if self.updates == "exchange":
            self._exchange(values, variables)
            return results
        tracked = [values[p] for p in self.results if values[p].requires_grad]
        if self.updates == "none" or not tracked:
            return results
        loss = sum((x.double() * 0.5).mean() for x in tracked)
        for variable in variables.values():
            variable.grad = None
        loss.backward()
        for position, variable in variables.items():
            if variable.grad is None:
                continue
            results[f"g{position}"] = variable.grad.detach().clone()
            if optimizer is None:
                with gc.no_grad():
                    variable.sub_(variable.grad * 0.125)
        if optimizer is not None:
            optimizer.step()
        return results

    def optimizer(self, variables: list[Any]) -> Any:
        """What updates the variables, or None."""
        if self.updates == "sgd":
            return gc.optim.SGD(variables, lr=0.1, momentum=0.9, weight_decay=0.01)
        if self.updates == "adam":
            return gc.optim.Adam(variables, lr=0.01, eps=0.1)
        return None

    @functools.cached_property
    def own_values(self) -> list[Any]:
        """All values of one evaluation, in their own dtypes."""
        gc.manual_seed(self.seed)
        sources = {n: gc.tensor(x.array) for n, x in enumerate(self.items) if isinstance(x, Source)}
        with np.errstate(all="ignore"):
            return self.evaluate(sources)

    def _fitting(self, position: int) -> list[int]:
        """Where there are other values of one's type, also where all are computed in float64."""
        mine = self.own_values[position]
        return [
            n for n, x in enumerate(self.own_values)
            if n != position and x.shape == mine.shape and x.dtype is mine.dtype
        ]  # fmt: skip

    def _exchange(self, values: Sequence[Any], variables: dict[int, Any]) -> None:
        """Let variables have each other's values, and those of steps."""
        with gc.no_grad():
            new = {}
            for position, variable in variables.items():
                fitting = self._fitting(position)
                taken = values[fitting[self.seed % len(fitting)]] if fitting else variable
                new[position] = taken * 0.5
            for position, variable in variables.items():
                variable.copy_(new[position])
