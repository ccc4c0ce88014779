"""A small ResNet with batch norm tells 32x32 images apart.

python examples/resnet_images.py             drawings of ten shapes, made by the script
python examples/resnet_images.py FOLDER      images of your own: one folder for each class
python examples/resnet_images.py --dynamic   the same code, op by op

A fifth of the images is kept for the test. --checkpoints FOLDER saves after each epoch, and
--resume goes on from there as if the run had never stopped.
"""

import argparse
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.training import Accuracy, Checkpoints, TrainState, progress
from graphc.utils.data import DataLoader, Dataset, ImageFolder, TensorDataset, random_split

SIZE = 32
SHAPES = "disc ring square frame plus cross stripes bars checks triangle".split()


class Block(nn.Module):
    """Two convolutions that change what flows past them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        return F.relu(self.residual(x) + self.shortcut(x))


class ResNet(nn.Module):
    """Three stages, each with half the resolution and twice the channels of the one before."""

    def __init__(self, classes: int, width: int, depth: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.stages = nn.Sequential()
        inputs = width
        for stage, outputs in enumerate((width, 2 * width, 4 * width)):
            for number in range(depth):
                stride = 2 if stage > 0 and number == 0 else 1
                self.stages.append(Block(inputs, outputs, stride))
                inputs = outputs
        self.head = nn.Linear(inputs, classes)

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        x = self.stages(self.stem(x / 127.5 - 1))
        return self.head(x.mean((2, 3)))


def draw(shape: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """A shape somewhere in the image, in two colors, with noise."""
    x, y = np.meshgrid(*(np.arange(SIZE) - random.uniform(11, 21, (2, 1))))
    radius, width = random.uniform(6, 11), random.uniform(2, 3.5)
    block, distance = np.maximum(abs(x), abs(y)), np.hypot(x, y)
    inside = {
        "disc": distance < radius,
        "ring": abs(distance - radius) < width,
        "square": block < radius,
        "frame": abs(block - radius) < width,
        "plus": (np.minimum(abs(x), abs(y)) < width) & (block < radius),
        "cross": (abs(abs(x) - abs(y)) < 1.4 * width) & (block < radius),
        "stripes": (y // width % 2 == 0) & (block < radius),
        "bars": (x // width % 2 == 0) & (block < radius),
        "checks": ((x // width + y // width) % 2 == 0) & (block < radius),
        "triangle": (y < radius) & (2 * abs(x) < y + radius),
    }[shape]
    front, back = random.uniform(0, 255, (2, 3, 1, 1))
    image: NDArray[np.float64] = np.where(inside, front, back) + random.normal(
        0, 30, (3, SIZE, SIZE)
    )
    return image.clip(0, 255).astype(np.uint8)


def drawings(count: int, seed: int) -> tuple[Dataset[Any], list[str]]:
    """Drawings, and what each class is."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % len(SHAPES)
    images = np.stack([draw(SHAPES[label], random) for label in labels])
    return TensorDataset(gc.tensor(images), gc.tensor(labels)), SHAPES


def photos(folder: Path) -> tuple[Dataset[Any], list[str]]:
    """The images in a folder, cut to squares and made small, and its classes."""

    def small(image: Any) -> gc.Tensor:
        side = min(image.size)
        left, top = ((length - side) // 2 for length in image.size)
        image = image.resize((SIZE, SIZE), box=(left, top, left + side, top + side))
        return gc.tensor(np.asarray(image).transpose(2, 0, 1))

    images = ImageFolder(folder, transform=small)
    return images, images.classes


def main(argv: Sequence[str] | None = None) -> TrainState:
    """Train and test."""
    options = parse(argv)
    gc.manual_seed(options.seed)
    dtype = gc.float64 if options.double else gc.float32
    images, classes = (
        photos(options.folder) if options.folder else drawings(options.drawings, options.seed)
    )
    train_images, test_images = random_split(images, [0.8, 0.2])
    workers = options.workers
    train = DataLoader(
        train_images, options.batch, shuffle=True, drop_last=True, num_workers=workers
    )
    test = DataLoader(test_images, options.batch, num_workers=workers)

    model = ResNet(len(classes), options.width, options.depth).to(dtype)
    optimizer = optim.SGD(
        model.parameters(), lr=options.lr, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    steps = options.epochs * len(train)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, options.lr, steps)
    accuracy = Accuracy()

    def step(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        mirrored = gc.rand(len(y), 1, 1, 1) < 0.5
        x = gc.where(mirrored, x.flip(3), x)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x.to(dtype)), y)
        loss.backward()
        optimizer.step()
        return loss

    @gc.no_grad()
    def evaluate(x: gc.Tensor, y: gc.Tensor) -> None:
        accuracy.update(model(x.to(dtype)), y)

    if not options.dynamic:
        step, evaluate = gc.compile(step), gc.compile(evaluate)

    run = TrainState(model=model, optimizer=optimizer, schedule=schedule, train=train)
    run.values = {"losses": [], "accuracies": []}
    if options.checkpoints:
        checkpoints = Checkpoints(options.checkpoints, run, mode="max", resume=options.resume)

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
        for x, y in test:
            evaluate(x, y)
        run.values["accuracies"].append(accuracy.compute())
        print(f"epoch {run.epoch}: loss {loss:.4f}, accuracy {accuracy.compute():.2%}")
        if options.checkpoints:
            checkpoints.save(score=accuracy.compute())

    kind = "dynamic" if options.dynamic else "compiled"
    print(f"{kind}, {run.step} steps: {time.perf_counter() - started:.1f} s")
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
    parser.add_argument("folder", type=Path, nargs="?", help="holds one folder for each class")
    parser.add_argument("--drawings", type=int, default=5000, help="how many to make")
    parser.add_argument("--workers", type=int, default=0, help="processes that read images")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--width", type=int, default=16, help="channels of the first stage")
    parser.add_argument("--depth", type=int, default=1, help="blocks of each stage")
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
