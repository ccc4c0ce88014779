"""``graphc demo``: the main job on real data, with every stage shown."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from graphc.frontend.checkpoint import save
from graphc.frontend.cli.digits_model import Digits, load_split, make_model, make_predict, make_step
from graphc.frontend.compare import Comparison, compare
from graphc.frontend.compiled import CompiledFunction
from graphc.frontend.data.loader import DataLoader
from graphc.frontend.functions.sampling import Generator, manual_seed
from graphc.frontend.nn.module import Module
from graphc.frontend.optim.adam import AdamW

BATCH = 64


def run_demo(folder: Path, *, epochs: int, seed: int, backend: str) -> float:
    """Train, evaluate, compare and report.

    Args:
        folder: where files go; made if it does not exist.
        epochs: passes over the training images.
        seed: of weights, order and dropout.
        backend: ``llvm`` or ``numpy``.

    Returns:
        The share of test images that are classified rightly.
    """
    console = Console(highlight=False)
    manual_seed(seed)
    digits = load_split(seed)
    model = make_model()
    optimizer = AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    step = CompiledFunction(make_step(model, optimizer), {"backend": backend})
    console.print("UCI handwritten digits: 1,437 images to train, 360 to test\n")
    console.print(repr(model), "\n", sep="")
    loader = DataLoader(
        digits.train, batch_size=BATCH, shuffle=True, drop_last=True,
        generator=Generator().manual_seed(seed),
    )  # fmt: skip
    losses, seconds = _train(step, loader, epochs)
    accuracy = _accuracy(model, digits, backend)
    first = next(iter(loader))
    _print_compilation(console, step, first)
    comparison = compare(step, *first)
    _print_comparison(console, comparison)
    console.print(
        f"\n{len(losses):,} steps in {seconds:.2f} s, loss {losses[0]:.3f} -> {losses[-1]:.3f}"
    )
    console.print(f"test accuracy: [bold]{accuracy:.2%}[/bold] of 360 images")
    written = _write(folder, model, optimizer, step, first, losses, accuracy, comparison)
    console.print("written: " + ", ".join(map(str, written)))
    return accuracy


def _train(step: CompiledFunction, loader: Any, epochs: int) -> tuple[list[float], float]:
    losses = []
    started = time.perf_counter()
    with tqdm(total=epochs * len(loader), unit="step", desc="training") as progress:
        for _ in range(epochs):
            for images, labels in loader:
                losses.append(step(images, labels).item())
                progress.update()
            progress.set_postfix(loss=f"{losses[-1]:.4f}")
    return losses, time.perf_counter() - started


def _accuracy(model: Module, digits: Digits, backend: str) -> float:
    model.eval()
    predict = CompiledFunction(make_predict(model), {"backend": backend})
    right = predict(digits.test_images) == digits.test_labels
    model.train()
    return float(right.float().mean())


def _print_compilation(console: Console, step: CompiledFunction, batch: Any) -> None:
    session = step.session(*batch)
    console.print(f"\n[bold]The compiled step[/bold]\n{session.explain()}")
    console.print(f"\n[bold]Memory plan[/bold]\n{session.memory_plan()}")


def _print_comparison(console: Console, comparison: Comparison) -> None:
    table = Table(title="Dynamic and compiled, the same step from the same state")
    table.add_column("")
    table.add_column("", justify="right")
    for line in str(comparison).splitlines():
        table.add_row(line[:22].strip(), line[22:])
    console.print(table)


def _write(
    folder: Path, model: Module, optimizer: AdamW, step: CompiledFunction, batch: Any,
    losses: list[float], accuracy: float, comparison: Comparison,
) -> list[Path]:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "digits.safetensors"
    save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, weights)
    graph = folder / "step.graph.txt"
    graph.write_text(f"{step.entry(*batch).graph}\n", encoding="utf-8")
    report = folder / "report.json"
    facts = {"accuracy": accuracy, "losses": losses, "comparison": vars(comparison)}
    report.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return [weights, graph, report]
