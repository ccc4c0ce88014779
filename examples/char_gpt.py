"""A character-level GPT learns to write like a text file.

python examples/char_gpt.py input.txt             one compiled training step
python examples/char_gpt.py input.txt --dynamic   the same code, op by op

The last tenth of the text is kept for validation. --checkpoints FOLDER saves after each epoch, and
--resume goes on from there as if the run had never stopped. At the end the model writes a sample.
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
from graphc.utils.data import CharVocabulary, DataLoader, TokenWindows, split_in_order


class Attention(nn.Module):
    """Each position looks at itself and at those before it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.merge = nn.Linear(width, width, bias=False)

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        batch, length, width = x.shape
        parts = self.project(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.merge(seen.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """What others wrote, then what to make of it; both are added to the stream."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.LayerNorm(width), Attention(width, heads), nn.Dropout(dropout)
        )
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        x = x + self.attention(x)
        return x + self.feed_forward(x)


class GPT(nn.Module):
    """From the numbers of characters to scores of the next one, at every position."""

    def __init__(
        self, vocabulary: int, context: int, width: int, heads: int, layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.characters = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        x = self.characters(x) + self.positions(gc.arange(x.shape[1]))
        return self.head(self.norm(self.blocks(x)))


def main(argv: Sequence[str] | None = None) -> TrainState:
    """Train, evaluate, write a sample."""
    options = parse(argv)
    gc.manual_seed(options.seed)
    dtype = gc.float64 if options.double else gc.float32
    text, context = options.text.read_text(), options.context
    alphabet = CharVocabulary.of(text)
    learned, held_out = split_in_order(alphabet.encode(text), [0.9, 0.1])
    train = DataLoader(
        TokenWindows(learned, context, stride=context), options.batch, shuffle=True, drop_last=True
    )
    valid = DataLoader(TokenWindows(held_out, context, stride=context), options.batch)

    model = GPT(
        len(alphabet), context, options.width, options.heads, options.layers, options.dropout
    ).to(dtype)
    optimizer = optim.AdamW(model.parameters(), options.lr, betas=(0.9, 0.99), weight_decay=0.1)
    steps = options.epochs * len(train)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, options.lr, steps, pct_start=0.1)
    valid_loss = Mean()

    def loss_of(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        return F.cross_entropy(model(x).flatten(0, 1), y.flatten())

    def step(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    @gc.no_grad()
    def evaluate(x: gc.Tensor, y: gc.Tensor) -> None:
        valid_loss.update(loss_of(x, y), weight=len(x))

    @gc.no_grad()
    def next_character(window: gc.Tensor, last: gc.Tensor) -> gc.Tensor:
        scores = model(window.unsqueeze(0))[0, last]
        return gc.multinomial(F.softmax(scores / options.temperature, dim=0), 1)

    if not options.dynamic:
        step, evaluate, next_character = map(gc.compile, (step, evaluate, next_character))

    run = TrainState(model=model, optimizer=optimizer, schedule=schedule, train=train)
    run.values = {"losses": [], "valid_losses": []}
    if options.checkpoints:
        checkpoints = Checkpoints(options.checkpoints, run, resume=options.resume)

    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {steps:,} steps")
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
        valid_loss.reset()
        for x, y in valid:
            evaluate(x, y)
        run.values["valid_losses"].append(valid_loss.compute())
        print(f"epoch {run.epoch}: loss {loss:.4f}, validation loss {valid_loss.compute():.4f}")
        if options.checkpoints:
            checkpoints.save(score=valid_loss.compute())

    kind = "dynamic" if options.dynamic else "compiled"
    print(f"{kind}, {run.step} steps: {time.perf_counter() - started:.1f} s\n")
    if options.plot:
        plot(options.plot, **run.values)

    model.eval()
    written = [0]  # a line feed, in most texts
    for _ in range(options.sample):
        recent = written[-context:]
        window = gc.tensor(recent + [0] * (context - len(recent)))
        written.append(int(next_character(window, gc.tensor(len(recent) - 1)).item()))
    print(alphabet.decode(written))
    return run


def plot(path: Path, losses: list[float], valid_losses: list[float]) -> None:
    """Draw the curves."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(losses, label="training")
    ends = np.linspace(0, len(losses), len(valid_losses) + 1)[1:]
    axes.plot(ends, valid_losses, "o-", label="validation")
    axes.set(xlabel="step", ylabel="loss per character")
    axes.legend()
    figure.savefig(path)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path, help="the file to learn from")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--context", type=int, default=64, help="how far back it looks")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--sample", type=int, default=500, help="characters to write at the end")
    parser.add_argument("--temperature", type=float, default=0.8, help="how bold the sample is")
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
