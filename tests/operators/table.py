"""Every public operator, and the calls that show and test it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import graphc as gc
from tests.operators import (
    control,
    creation,
    layers,
    matrices,
    methods,
    pointwise,
    reductions,
    shaping,
)
from tests.operators.notation import Call, calls, in_place, namespace

PLACES = (
    "graphc", "graphc.Tensor", "graphc.nn.functional", "graphc.linalg", "graphc.fft",
    "graphc.special",
)  # fmt: skip

TEXTS = {
    "graphc": [
        pointwise.FUNCTIONS, shaping.LAYOUT, shaping.INDEXING, reductions.FUNCTIONS,
        matrices.FUNCTIONS, creation.FUNCTIONS, creation.RANDOM, creation.FACTS,
        layers.PYTORCH_HAS_IN_TORCH, control.FUNCTIONS,
    ],
    "graphc.Tensor": [methods.METHODS],
    "graphc.nn.functional": [
        layers.ACTIVATIONS, layers.WINDOWS, layers.TOGETHER, layers.LOSSES
    ],
    "graphc.linalg": [matrices.LINALG],
    "graphc.fft": [matrices.FFT],
    "graphc.special": [pointwise.SPECIAL],
}  # fmt: skip

NO_OPERATORS = {
    "graphc": frozenset(
        "are_deterministic_algorithms_enabled compare compile get_default_device "
        "get_default_dtype get_float32_matmul_precision get_num_threads get_rng_state grad "
        "initial_seed is_anomaly_check_nan_enabled is_anomaly_enabled is_grad_enabled "
        "is_inference_mode_enabled is_recording load manual_seed placeholder save seed "
        "set_default_device set_default_dtype set_float32_matmul_precision set_num_threads "
        "set_printoptions set_rng_state trace use_deterministic_algorithms vmap".split()
    ),
    "graphc.Tensor": frozenset(
        "array backward register_hook register_post_accumulate_grad_hook retain_grad".split()
    ),
}
"""Functions and methods that set, record or differentiate; they have tests of their own."""


def public(place: str) -> list[str]:
    """The names of a namespace's operators; of methods, those that are no function besides."""
    here = namespace(place)
    names = [
        name
        for name, value in ((name, getattr(here, name)) for name in dir(here))
        if callable(value) and not isinstance(value, type) and not name.startswith("_")
    ]
    if here is gc.Tensor:
        names = [name for name in names if getattr(gc, name, None) is not getattr(here, name)]
    return [name for name in names if name not in NO_OPERATORS.get(place, ())]


@cache
def table() -> dict[tuple[str, str], list[Call]]:
    """The calls of every operator, by place and name."""
    found: dict[tuple[str, str], list[Call]] = {}
    for place, texts in TEXTS.items():
        for text in texts:
            for call in calls(place, text):
                found.setdefault((place, call.name), []).append(call)
    for place in PLACES:
        for name in public(place):
            if (place, name) not in found and (twins := list(_twins(found, place, name))):
                found[place, name] = twins
    return found


def _twins(found: dict[tuple[str, str], list[Call]], place: str, name: str) -> Iterator[Call]:
    """The calls of an operator that writes its first tensor, where that has the result's shape."""
    if name.endswith("_"):
        for home in (place, "graphc", "graphc.Tensor"):
            if made := in_place(place, name, found.get((home, name[:-1]), [])):
                yield from (call for call in made if _fits(call))
                return


def _fits(call: Call) -> bool:
    """True for a call that is not refused for the dtype or shape of what it writes."""
    try:
        call.function(*map(gc.tensor, call.arrays()))
    except (gc.GraphcError, TypeError):
        return False
    return True
