"""Complex parameters for rules that move their real and imaginary parts each for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.frontend.functions.complexes import view_as_complex, view_as_real
from graphc.frontend.optim.options import Options
from graphc.frontend.tensor import Tensor

State = dict[str, Any]
Update = Callable[[Tensor, Tensor, State, Options], tuple[Tensor, State]]


def update_parts(
    update: Update, param: Tensor, grad: Tensor, state: State, options: Options
) -> tuple[Tensor, State]:
    """A rule's update of a complex parameter, with its parts in a last dim of two."""
    parts = {name: _parts(value) for name, value in state.items()}
    moved, kept = update(_parts(param), _parts(grad), parts, options)
    return view_as_complex(moved), {
        name: view_as_complex(value) if state[name].dtype.is_complex else value
        for name, value in kept.items()
    }


def _parts(x: Tensor) -> Tensor:
    return view_as_real(x) if x.dtype.is_complex else x
