"""The vocabulary: every primitive operation, defined once. Importing it fills the registry."""

from graphc.ops import (
    broadcasting,
    comparison,
    elementwise,
    fused,
    fused_matmul,
    index,
    leaf,
    linalg,
    random,
    reduce,
    select,
    shape,
)

__all__ = [
    "broadcasting",
    "comparison",
    "elementwise",
    "fused",
    "fused_matmul",
    "index",
    "leaf",
    "linalg",
    "random",
    "reduce",
    "select",
    "shape",
]
