"""An LSTM closes brackets: it must remember which ones are open, and in which order.

python examples/lstm_brackets.py             one compiled training step
python examples/lstm_brackets.py --dynamic   the same code, op by op

The network reads texts such as ([{}<>]) and says at each place what comes next. When a bracket
closes, only the one that opened it tells the kind, and that may be far back: guesses without a
memory are right for one in four, and guesses from the last opened bracket for about two in three.
--checkpoints FOLDER saves after each epoch; --resume goes on as if the run had never stopped.
"""

import argparse
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.training import Checkpoints, Mean, TrainState, progress
from graphc.utils.data import DataLoader, TensorDataset, random_split

OPENING, CLOSING = "([{<", ")]}>"
KINDS = len(OPENING)


class Reader(nn.Module):
    """Scores of the next bracket at each place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(2 * KINDS, 32)
        self.memory = nn.LSTM(32, width, batch_first=True)
        self.head = nn.Linear(width, 2 * KINDS)

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        states, _ = self.memory(self.embedding(x))
        return self.head(states)


def brackets(length: int, random: np.random.Generator) -> tuple[list[int], list[int]]:
    """A text as numbers, and for each place how far back its bracket was opened, or 0."""
    text: list[int] = []
    distances: list[int] = []
    opened: list[int] = []
    for place in range(length):
        must_close = len(opened) == length - place
        if opened and (must_close or random.random() < 0.5):
            start = opened.pop()
            text.append(text[start] + KINDS)
            distances.append(place - start)
        else:
            opened.append(place)
            text.append(int(random.integers(KINDS)))
            distances.append(0)
    return text, distances


def texts(count: int, length: int, seed: int) -> TensorDataset:
    """Texts, and the distances in them."""
    random = np.random.default_rng(seed)
    pairs = [brackets(length, random) for _ in range(count)]
    return TensorDataset(*(gc.tensor(np.array(part)) for part in zip(*pairs, strict=True)))


def baseline(data: TensorDataset) -> float:
    """How often a bracket closes the one that was opened last: right answers without memory."""
    right = closed = last = 0
    for number in data.tensors[0].flatten().tolist():
        if number < KINDS:
            last = number
        else:
            right += number == last + KINDS
            closed += 1
    return right / closed


def main(argv: Sequence[str] | None = None) -> TrainState:
    """Train and test."""
    options = parse(argv)
    gc.manual_seed(options.seed)
    dtype = gc.float64 if options.double else gc.float32
    data = texts(options.texts, options.length, options.seed)
    train_texts, test_texts = random_split(data, [0.8, 0.2])
    train = DataLoader(train_texts, options.batch, shuffle=True, drop_last=True)
    test = DataLoader(test_texts, options.batch)

    model = Reader(options.width).to(dtype)
    optimizer = optim.Adam(model.parameters(), lr=options.lr)
    steps = options.epochs * len(train)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, options.lr, steps)
    all_right, far_right = Mean(), Mean()

    def step(text: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    @gc.no_grad()
    def evaluate(text: gc.Tensor, distance: gc.Tensor) -> None:
        kind = model(text[:, :-1])[..., KINDS:].argmax(-1) + KINDS
        right = kind == text[:, 1:]
        all_right.update(right, weight=distance[:, 1:] > 0)
        far_right.update(right, weight=distance[:, 1:] >= options.far)

    if not options.dynamic:
        step, evaluate = gc.compile(step), gc.compile(evaluate)

    run = TrainState(model=model, optimizer=optimizer, schedule=schedule, train=train)
    run.values = {"losses": [], "accuracies": []}
    if options.checkpoints:
        checkpoints = Checkpoints(options.checkpoints, run, mode="max", resume=options.resume)

    print(f"right without memory: {baseline(data):.2%}")
    started = time.perf_counter()
    while run.epoch < options.epochs:
        model.train()
        for text, _ in (bar := progress(train, f"epoch {run.epoch + 1}")):
            loss = step(text).item()
            schedule.step()
            run.step += 1
            run.values["losses"].append(loss)
            bar.show(loss=loss)
        run.epoch += 1

        model.eval()
        all_right.reset()
        far_right.reset()
        for batch in test:
            evaluate(*batch)
        run.values["accuracies"].append(all_right.compute())
        print(
            f"epoch {run.epoch}: loss {loss:.4f}, right {all_right.compute():.2%}, "
            f"over {options.far} places and more {far_right.compute():.2%}"
        )
        if options.checkpoints:
            checkpoints.save(score=all_right.compute())

    kind = "dynamic" if options.dynamic else "compiled"
    print(f"{kind}, {run.step} steps: {time.perf_counter() - started:.1f} s")
    if options.plot:
        plot(options.plot, baseline(data), **run.values)
    return run


def plot(path: Path, without: float, losses: list[float], accuracies: list[float]) -> None:
    """Draw the curves."""
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    left.plot(losses)
    left.set(title="training", xlabel="step", ylabel="loss")
    right.plot(range(1, len(accuracies) + 1), accuracies, "o-", label="LSTM")
    right.axhline(without, linestyle="--", label="without memory")
    right.set(title="test", xlabel="epoch", ylabel="brackets closed rightly")
    right.legend()
    figure.savefig(path)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=10_000, help="how many to make")
    parser.add_argument("--length", type=int, default=64, help="brackets of a text, an even number")
    parser.add_argument("--far", type=int, default=16, help="what counts as far back")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dynamic", action="store_true", help="run op by op")
    parser.add_argument("--static", dest="dynamic", action="store_false", help="the default")
    parser.add_argument("--double", action="store_true", help="train in float64")
    parser.add_argument("--checkpoints", type=Path, help="folder to save to after each epoch")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoints")
    parser.add_argument("--plot", type=Path, help="file for a picture of the curves")
    options = parser.parse_args(argv)
    if options.resume and not options.checkpoints:
        parser.error("--resume needs --checkpoints")
    if options.plot and not find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install 'graphc[plots]'")
    return options


if __name__ == "__main__":
    main()
