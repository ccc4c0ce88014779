"""LeNet-5 reads handwritten digits.

python examples/lenet_mnist.py FOLDER             one compiled training step
python examples/lenet_mnist.py FOLDER --dynamic   the same code, op by op

The folder holds MNIST's files, compressed or not. Where there are only the 10,000 test images, the
network learns the first 8,000 and is tested on the others. --checkpoints FOLDER saves after each
epoch, and --resume goes on from there as if the run had never stopped.
"""

import argparse
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.training import Accuracy, Checkpoints, ConfusionMatrix, TrainState, progress
from graphc.utils.data import MNIST, DataLoader, Subset


class LeNet5(nn.Module):
    """Two convolutions with pools, then three linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
            nn.Linear(84, 10),
        )  # fmt: skip

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        return self.classifier(self.features(x))


Digits = MNIST | Subset[Any]


def load(folder: Path) -> tuple[Digits, Digits]:
    """The digits to learn and those for the test."""
    last = MNIST(folder, train=False)
    try:
        return MNIST(folder, train=True), last
    except FileNotFoundError:  # then the 10,000 test images have to do
        cut = len(last) * 4 // 5
        return Subset(last, range(cut)), Subset(last, range(cut, len(last)))


def main(argv: Sequence[str] | None = None) -> TrainState:
    """Train and test."""
    options = parse(argv)
    gc.manual_seed(options.seed)
    dtype = gc.float64 if options.double else gc.float32
    train_digits, test_digits = load(options.folder)
    train = DataLoader(train_digits, options.batch, shuffle=True, drop_last=True)
    test = DataLoader(test_digits, 500)

    model = LeNet5().to(dtype)
    optimizer = optim.Adam(model.parameters(), lr=options.lr)
    steps = options.epochs * len(train)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, options.lr, steps)
    accuracy, confusion = Accuracy(), ConfusionMatrix(10)

    def step(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x.to(dtype)), y)
        loss.backward()
        optimizer.step()
        return loss

    @gc.no_grad()
    def evaluate(x: gc.Tensor, y: gc.Tensor) -> None:
        scores = model(x.to(dtype))
        accuracy.update(scores, y)
        confusion.update(scores, y)

    if not options.dynamic:
        step, evaluate = gc.compile(step), gc.compile(evaluate)

    run = TrainState(
        model=model, optimizer=optimizer, schedule=schedule, train=train, confusion=confusion
    )
    run.values = {"losses": [], "accuracies": []}
    if options.checkpoints:
        checkpoints = Checkpoints(options.checkpoints, run, mode="max", resume=options.resume)

    print(f"{len(train_digits):,} digits to learn, {len(test_digits):,} for the test")
    started = time.perf_counter()
    while run.epoch < options.epochs:
        model.train()
        for x, y in (bar := progress(train, f"epoch {run.epoch + 1}")):
            loss = step(x, y).item()
            schedule.step()
            run.step += 1
            run.values["losses"].append(loss)
            bar.show(loss=loss)
        run.epoch += 1

        model.eval()
        accuracy.reset()
        confusion.reset()
        for x, y in test:
            evaluate(x, y)
        run.values["accuracies"].append(accuracy.compute())
        print(f"epoch {run.epoch}: loss {loss:.4f}, accuracy {accuracy.compute():.2%}")
        if options.checkpoints:
            checkpoints.save(score=accuracy.compute())

    kind = "dynamic" if options.dynamic else "compiled"
    print(f"{kind}, {run.step:,} steps: {time.perf_counter() - started:.1f} s")
    print("what it is (rows) and is taken for (columns):")
    print(confusion.compute().numpy())
    if options.plot:
        plot(options.plot, **run.values)
    return run


def plot(path: Path, losses: list[float], accuracies: list[float]) -> None:
    """Draw the curves."""
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    left.plot(losses)
    left.set(title="training", xlabel="step", ylabel="loss", yscale="log")
    right.plot(range(1, len(accuracies) + 1), accuracies, "o-")
    right.set(title="test", xlabel="epoch", ylabel="accuracy")
    figure.savefig(path)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds t10k-images-idx3-ubyte.gz and the others")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=4e-3)
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
