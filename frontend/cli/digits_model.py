"""The demo's model and its one training step, as a PyTorch user would write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.frontend.data.digits import load_digits
from graphc.frontend.data.tensors import TensorDataset
from graphc.frontend.functions.creation import from_numpy
from graphc.frontend.nn.containers import Sequential
from graphc.frontend.nn.functional.classification import cross_entropy
from graphc.frontend.nn.layers.activation import ReLU
from graphc.frontend.nn.layers.batch_norm import BatchNorm1d
from graphc.frontend.nn.layers.dropout import Dropout
from graphc.frontend.nn.layers.linear import Linear
from graphc.frontend.nn.module import Module
from graphc.frontend.optim.optimizer import Optimizer
from graphc.frontend.tensor import Tensor

TRAIN_IMAGES = 1437


@dataclass(frozen=True)
class Digits:
    """The 1,797 digits, in random order and split in two."""

    train: TensorDataset
    test_images: Tensor
    test_labels: Tensor


def load_split(seed: int) -> Digits:
    """Images as float32 rows of 64 in ``0 .. 1``, 80 % of them for training."""
    images, labels = load_digits()
    order = np.random.default_rng(seed).permutation(len(images))
    rows = (images.reshape(len(images), 64).astype(np.float32) / 16.0)[order]
    classes = labels.astype(np.int64)[order]
    return Digits(
        TensorDataset(from_numpy(rows[:TRAIN_IMAGES]), from_numpy(classes[:TRAIN_IMAGES])),
        from_numpy(rows[TRAIN_IMAGES:]),
        from_numpy(classes[TRAIN_IMAGES:]),
    )


def make_model() -> Sequential:
    """A perceptron with batch norm and dropout: 64 - 128 - 64 - 10."""
    return Sequential(
        Linear(64, 128, bias=False), BatchNorm1d(128), ReLU(), Dropout(0.2),
        Linear(128, 64, bias=False), BatchNorm1d(64), ReLU(), Dropout(0.2),
        Linear(64, 10),
    )  # fmt: skip


def make_step(model: Module, optimizer: Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
    """One training step; it runs dynamically as it stands, and compiles as a whole."""

    def step(x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def make_predict(model: Module) -> Callable[[Tensor], Tensor]:
    """The most probable class of each row."""

    def predict(x: Tensor) -> Any:
        return model(x).argmax(dim=1)

    return predict
