"""``graphc demo``: the main job on real data, with every stage shown."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from graphc.frontend.cli.digits_model import Digits, load_split, make_model, make_predict, make_step
from graphc.frontend.compare import Comparison, compare
from graphc.frontend.compile.function import CompiledFunction
from graphc.frontend.compile.options import CompileOptions
from graphc.frontend.data.loader import DataLoader
from graphc.frontend.functions.generators import Generator, manual_seed
from graphc.frontend.nn.module import Module
from graphc.frontend.optim.adam import AdamW
from graphc.frontend.saving.save import save
from graphc.runtime.backend import Kernel

BATCH = 64

_RULES = 3
"""How many rules of a pass are named."""


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
    console = Console(highlight=False, soft_wrap=True)
    manual_seed(seed)
    digits = load_split(seed)
    model = make_model()
    optimizer = AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    step = CompiledFunction(make_step(model, optimizer), CompileOptions(backend))
    console.print("UCI handwritten digits: 1,437 images to train, 360 to test\n")
    console.print(f"{model!r}\n")
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
    with tqdm(
        total=epochs * len(loader), unit="step", desc="training", mininterval=0.5
    ) as progress:
        for _ in range(epochs):
            for images, labels in loader:
                losses.append(step(images, labels).item())
                progress.update()
            progress.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
    return losses, time.perf_counter() - started


def _accuracy(model: Module, digits: Digits, backend: str) -> float:
    model.eval()
    predict = CompiledFunction(make_predict(model), CompileOptions(backend))
    right = predict(digits.test_images) == digits.test_labels
    model.train()
    return float(right.float().mean())


def _print_compilation(console: Console, step: CompiledFunction, batch: Any) -> None:
    explanation = step.session(*batch).explain()
    table = Table(title="What each pass did to the training step", title_justify="left")
    table.add_column("pass")
    table.add_column("nodes", justify="right")
    table.add_column("ms", justify="right")
    table.add_column("did")
    for record in explanation.passes:
        nodes = f"{record['before']} -> {record['after']}"
        table.add_row(record["name"], nodes, f"{record['seconds'] * 1e3:.1f}", _most_fired(record))
    console.print(table)
    native = [kernel for kernel in explanation.kernels if kernel.native]
    others = [kernel for kernel in explanation.kernels if not kernel.native]
    console.print(
        f"kernels: {len(native)} native ones run {_steps(native)} steps; not native: "
        + (", ".join(f"{_steps([k])} x {k.name} ({k.reason})" for k in others) or "none")
    )
    refusals = [
        f"{tally['count']} x {reason}"
        for record in explanation.passes
        if record["name"] == "fuse"
        for reason, tally in record["refused"].items()
    ]
    console.print(f"not fused: {', '.join(refusals) or 'nothing'}")
    console.print(f"memory plan: {explanation.memory.summary}")
    phases = {k: s for k, s in explanation.phases.items() if ":" not in k}
    console.print(
        f"compiled in {sum(phases.values()) * 1e3:.0f} ms: "
        + ", ".join(f"{name} {seconds * 1e3:.0f}" for name, seconds in phases.items())
        + "\n"
    )


def _most_fired(record: Any) -> str:
    """The rules that fired most."""
    counts = {rule: tally["count"] for rule, tally in record["fired"].items()}
    ordered = sorted(counts, key=lambda rule: -counts[rule])
    text = ", ".join(f"{rule} x{counts[rule]}" for rule in ordered[:_RULES])
    return text + (f", {len(ordered) - _RULES} more" if len(ordered) > _RULES else "")


def _steps(kernels: Sequence[Kernel]) -> int:
    return sum(len(kernel.steps) for kernel in kernels)


def _print_comparison(console: Console, comparison: Comparison) -> None:
    console.print("[bold]Dynamic and compiled, the same step from the same state[/bold]")
    console.print(str(comparison))


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
