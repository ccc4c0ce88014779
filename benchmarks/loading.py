"""What a loader costs per batch, beside PyTorch's: in this process and with two workers.

Workers share the processors of ``--threads``: with 1 they take turns with the program.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc
from benchmarks.peers import find
from benchmarks.report import seconds
from benchmarks.timing import interleaved
from graphc.utils import data as graphc_data

BATCH = 64
WORKERS = (0, 2)


def measure_loading(quick: bool) -> dict[str, Any]:
    """Time passes over images of MNIST's size in turns, print a table, return the numbers."""
    samples = 512 if quick else 8192
    time, rounds = (0.5, 5) if quick else (6.0, 20)
    libraries = {"graphc": (graphc_data, gc.from_numpy)}
    torch = find("torch")
    if torch is not None:
        libraries["torch"] = (torch.utils.data, torch.from_numpy)
    images = np.random.default_rng(0).random((samples, 1, 28, 28), dtype=np.float32)
    labels = np.arange(samples) % 10
    results: dict[str, Any] = {}
    print(f"loaders, per batch of {BATCH} float32 images of 28 x 28 and their labels")
    for kind, make in (("tensors", _tensors), ("samples", _samples)):
        for workers in WORKERS:
            runs = {
                name: _pass(library, make(library, convert, images, labels), workers)
                for name, (library, convert) in libraries.items()
            }
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of more workers than processors
                timings = interleaved(runs, time, rounds)
            batches = samples // BATCH
            found = {name: timing.median / batches for name, timing in timings.items()}
            results[f"{kind}, {workers} workers"] = found
            row = "  ".join(f"{name} {seconds(value):>9}" for name, value in found.items())
            print(f"  {kind}, {workers} workers".ljust(24), row)
    print()
    return {"loading": results}


def _tensors(library: Any, convert: Any, images: Any, labels: Any) -> Any:
    return library.TensorDataset(convert(images), convert(labels))


def _samples(library: Any, convert: Any, images: Any, labels: Any) -> Any:
    class Samples(library.Dataset):  # type: ignore[misc]  # of either library
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, index: int) -> Any:
            return images[index], int(labels[index])

    return Samples()


def _pass(library: Any, dataset: Any, workers: int) -> Callable[[], None]:
    options = {"persistent_workers": True, "num_workers": workers} if workers else {}
    loader = library.DataLoader(dataset, BATCH, shuffle=True, **options)

    def run() -> None:
        for _ in loader:
            pass

    return run
