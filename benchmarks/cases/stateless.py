"""Runs of one function of arrays by every peer."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import graphc as gc
from benchmarks.case import Run
from benchmarks.peers import find, torch_compiled

Array = npt.NDArray[Any]


def all_peers(
    arrays: Sequence[Array],
    *,
    by_numpy: Callable[..., Any],
    by_graphc: Callable[..., Any],
    by_torch: Callable[..., Any],
    by_jax: Callable[..., Any],
    quick: bool,
) -> dict[str, Run]:
    """The same function of the same arrays, once for each peer that is there.

    Args:
        arrays: the arguments.
        by_numpy: the function on numpy arrays; the reference.
        by_graphc: on graphc tensors, run dynamically and compiled.
        by_torch: on PyTorch tensors, run eagerly and, unless ``quick``, compiled.
        by_jax: on JAX arrays, run by ``jax.jit``.
        quick: leave out what takes long to prepare.
    """
    tensors = [gc.tensor(array) for array in arrays]
    compiled = gc.compile(by_graphc)
    runs: dict[str, Run] = {
        "numpy": lambda: by_numpy(*arrays),
        "graphc dynamic": lambda: by_graphc(*tensors).numpy(),
        "graphc": lambda: compiled(*tensors).numpy(),
    }
    return runs | _torch(arrays, by_torch, quick) | _jax(arrays, by_jax)


def _torch(arrays: Sequence[Array], function: Callable[..., Any], quick: bool) -> dict[str, Run]:
    torch = find("torch")
    if torch is None:
        return {}
    tensors = [torch.from_numpy(np.array(array)) for array in arrays]
    runs: dict[str, Run] = {"torch": lambda: function(*tensors).numpy()}
    fast = None if quick else torch_compiled(function, lambda made: made(*tensors))
    if fast is not None:
        runs["torch.compile"] = lambda: fast(*tensors).numpy()
    return runs


def _jax(arrays: Sequence[Array], function: Callable[..., Any]) -> dict[str, Run]:
    jax = find("jax")
    if jax is None:
        return {}
    values = [jax.numpy.asarray(array) for array in arrays]
    fast = jax.jit(function)
    return {"jax.jit": lambda: fast(*values).block_until_ready()}
