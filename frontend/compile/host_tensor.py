"""Tensors whose values shape programs, such as the batch sizes of packed sequences."""

from __future__ import annotations

from graphc.frontend.making import init
from graphc.frontend.tensor import Tensor


class HostTensor(Tensor):
    """A row of numbers that a compiled function reads while it is traced, like a Python number.

    As an argument it is no input of the program: the function is traced for its values.

    Args:
        like: the tensor whose memory it shares.
    """

    def __init__(self, like: Tensor) -> None:
        init(self, like.storage)
