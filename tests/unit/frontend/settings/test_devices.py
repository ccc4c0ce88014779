"""What scripts do to seed and to choose a device, unchanged but for the import."""

from __future__ import annotations

import importlib.metadata
import re

import graphc as gc
import graphc.backends.cudnn as cudnn


def test_the_usual_beginning_of_a_script() -> None:
    gc.manual_seed(3)
    gc.cuda.manual_seed(4)
    gc.cuda.manual_seed_all(5)
    first = gc.rand(2)
    gc.manual_seed(3)
    assert (gc.rand(2) == first).all()  # the other seeds changed nothing
    cudnn.deterministic, cudnn.benchmark = False, True
    try:
        gc.manual_seed(3)
        assert (gc.rand(2) == first).all()
    finally:
        cudnn.deterministic, cudnn.benchmark = True, False
    assert not gc.backends.cudnn.is_available()
    assert gc.backends.cudnn.version() is None
    gc.cuda.empty_cache()
    device = (
        "cuda" if gc.cuda.is_available() else "mps" if gc.backends.mps.is_available() else "cpu"
    )
    assert gc.ones(1, device=gc.device(device)).device == gc.device("cpu")
    assert not gc.backends.mps.is_built()


def test_version() -> None:
    assert gc.__version__ == importlib.metadata.version("graphc")
    assert re.match(r"\d+\.\d+", gc.__version__)
