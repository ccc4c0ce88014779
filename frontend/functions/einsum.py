"""Sums of products by Einstein's convention (``torch.einsum``)."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.dims import Size
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.shaping import drop_dims
from graphc.ops import elementwise, linalg, reduce
from graphc.ops import shape as ops
from graphc.provenance import user_location_text
from graphc.shapes import unify

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["einsum"]

Labels = list[int]
"""One number per dim: 0..25 for A..Z, 26..51 for a..z, and -1, -2 ... for the dims of an ellipsis
from the last on. An ``Ellipsis`` itself is -1000 until it is known for how many it stands.
"""

DOTS = -1000


class Labelled(NamedTuple):
    """A tensor and the label of each of its dims."""

    x: Tensor
    labels: Labels


def einsum(*args: Any) -> Tensor:
    """The sum of products that an equation names.

    Args:
        args: an equation such as ``"bij,bjk->bik"`` and its operands, one by one or as one
            sequence; or operands, each followed by its list of labels (numbers and ``...``), and
            perhaps the result's. A label that occurs twice in a term takes the diagonal, ``...``
            stands for dims that broadcast, and without ``->`` the result has the labels that
            occur once, in alphabetical order.

    Raises:
        ArgumentError: for an equation that does not fit the operands.
        ShapeError: for sizes that differ.

    Source: ``torch.einsum``.

    Example:
        >>> import graphc as gc
        >>> gc.einsum("ij,jk->ik", gc.ones(2, 3), gc.ones(3, 2))
        tensor([[3., 3.],
                [3., 3.]])
    """
    terms, operands, result = _equation(args) if isinstance(args[0], str) else _sublists(args)
    if not operands or len(terms) != len(operands):
        raise _wrong("one term per operand", f"{len(terms)} terms, {len(operands)} operands")
    ranks = [_rank_of_dots(term, x) for term, x in zip(terms, operands, strict=True)]
    named = [
        Labelled(x, _without_dots(term, rank))
        for x, term, rank in zip(operands, terms, ranks, strict=True)
    ]
    if result is None:
        result = _implied(named, max(ranks))
    else:
        result = _without_dots(result, max(ranks))
    known = {label for each in named for label in each.labels}
    if len(set(result)) < len(result) or not set(result) <= known:
        raise _wrong("a result of labels that occur in the operands, each once", str(args[0]))
    return _contracted(_without_ones([_diagonal(each) for each in named]), result)


def _wrong(expected: str, got: str) -> ArgumentError:
    return ArgumentError(
        "einsum: the equation does not fit", got=got, expected=expected, where=user_location_text()
    )


Parsed = tuple[list[Labels], list["Tensor"], Labels | None]


def _equation(args: tuple[Any, ...]) -> Parsed:
    equation, *rest = args
    given = rest[0] if len(rest) == 1 and isinstance(rest[0], list | tuple) else rest
    left, arrow, right = equation.replace(" ", "").partition("->")
    operands = [require_tensor("einsum", x) for x in given]
    return (
        [_letters(term) for term in left.split(",")],
        operands,
        _letters(right) if arrow else None,
    )


def _letters(term: str) -> Labels:
    found: Labels = []
    for part in term.replace("...", "\0"):
        if part != "\0" and part not in string.ascii_letters:
            raise _wrong("letters, commas, one '->' and '...'", repr(term))
        found.append(DOTS if part == "\0" else _ORDER.index(part))
    return _with_one_ellipsis(found)


_ORDER = string.ascii_uppercase + string.ascii_lowercase


def _with_one_ellipsis(labels: Labels) -> Labels:
    if labels.count(DOTS) > 1:
        raise _wrong("one '...' in a term", "more")
    return labels


def _sublists(args: Sequence[Any]) -> Parsed:
    pairs = list(args)
    result = _numbers(pairs.pop()) if len(pairs) % 2 else None
    operands = [require_tensor("einsum", x) for x in pairs[::2]]
    return [_numbers(term) for term in pairs[1::2]], operands, result


def _numbers(term: Sequence[Any]) -> Labels:
    for label in term:
        if label is not Ellipsis and (not isinstance(label, int) or not 0 <= label < len(_ORDER)):
            raise _wrong("labels from 0 to 51, or ...", repr(label))
    return _with_one_ellipsis([DOTS if label is Ellipsis else label for label in term])


def _rank_of_dots(term: Labels, x: Tensor) -> int:
    """How many dims the dots of a term stand for."""
    named = len(term) - term.count(DOTS)
    if named > x.ndim or (DOTS not in term and named != x.ndim):
        raise _wrong("one label per dim", f"{len(term)} labels for {x.type}")
    return x.ndim - named


def _without_dots(term: Labels, rank: int) -> Labels:
    return [each for label in term for each in (range(-rank, 0) if label == DOTS else (label,))]


def _implied(named: list[Labelled], rank: int) -> Labels:
    """The dots' dims, then the labels that occur once, in order."""
    given = [label for each in named for label in each.labels]
    return [*range(-rank, 0), *sorted(label for label in given
                                      if label >= 0 and given.count(label) == 1)]  # fmt: skip


def _diagonal(operand: Labelled) -> Labelled:
    """Every label once: of dims with one label, the elements whose indices are equal."""
    x, labels = operand
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x, labels = _without_second(x, labels, first, second)
    return Labelled(x, labels)


def _without_second(x: Tensor, labels: Labels, first: int, second: int) -> Labelled:
    size = x.shape[first]
    if not isinstance(size, int) or x.shape[second] != size:
        raise ShapeError(
            "einsum: dims with one label have known and equal sizes", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    others = [dim for dim in range(x.ndim) if dim not in (first, second)]
    turned = ops.permute(x, dims=(*others, first, second))
    flat = ops.reshape(turned, shape=(*turned.shape[:-2], size * size))
    shape = flat.shape
    along = ops.slice_(
        flat, starts=(0,) * len(shape), stops=tuple(shape),
        steps=(*(1,) * (len(shape) - 1), size + 1),
    )  # fmt: skip
    return Labelled(along, [*(labels[dim] for dim in others), labels[first]])


def _without_ones(operands: list[Labelled]) -> list[Labelled]:
    """Dims of size 1 are left away where another operand's dim of this label is larger."""
    sizes: dict[int, Size] = {}
    for x, labels in operands:
        for size, label in zip(x.shape, labels, strict=True):
            known = sizes.get(label, 1)
            if known != 1 and size != 1 and unify(known, size) is None:
                raise ShapeError(
                    "einsum: sizes of one label differ", got=f"{known} and {size}",
                    where=user_location_text(),
                )  # fmt: skip
            sizes[label] = known if size == 1 else size
    found = []
    for x, labels in operands:
        ones = [dim for dim, label in enumerate(labels) if x.shape[dim] == 1 != sizes[label]]
        kept = [label for dim, label in enumerate(labels) if dim not in ones]
        found.append(Labelled(drop_dims(x, ones), kept))
    return found


def _contracted(operands: list[Labelled], result: Labels) -> Tensor:
    """Two by two from the left; what only one operand has is summed first."""
    total = operands[0]
    for place, other in enumerate(operands[1:], 1):
        needed = {label for each in operands[place + 1 :] for label in each.labels} | set(result)
        total = _product(
            _summed(total, needed | set(other.labels)), _summed(other, needed | set(total.labels)),
            needed,
        )  # fmt: skip
    total = _summed(total, set(result))
    return _ordered(total, result)


def _summed(operand: Labelled, needed: set[int]) -> Labelled:
    x, labels = operand
    dims = tuple(dim for dim, label in enumerate(labels) if label not in needed)
    if not dims:
        return operand
    kept = [label for label in labels if label in needed]
    return Labelled(drop_dims(reduce.sum_(x, dims=dims), dims), kept)


def _ordered(operand: Labelled, labels: Labels) -> Tensor:
    dims = tuple(operand.labels.index(label) for label in labels)
    return operand.x if dims == tuple(range(len(dims))) else ops.permute(operand.x, dims=dims)


def _product(a: Labelled, b: Labelled, needed: set[int]) -> Labelled:
    """One batched matrix product: both share batch dims, and dims that are summed."""
    both = [label for label in a.labels if label in b.labels]
    batch = [label for label in both if label in needed]
    depth = [label for label in both if label not in needed]
    rows = [label for label in a.labels if label not in both]
    columns = [label for label in b.labels if label not in both]
    size = dict(zip(b.labels, b.x.shape, strict=True)) | dict(zip(a.labels, a.x.shape, strict=True))
    left = _grouped(a, [batch, rows, depth], size)
    right = _grouped(b, [batch, depth, columns], size)
    product = linalg.matmul(left, right) if depth else elementwise.mul(left, right)
    labels = [*batch, *rows, *columns]
    return Labelled(ops.reshape(product, shape=tuple(size[each] for each in labels)), labels)


def _grouped(operand: Labelled, groups: list[Labels], size: dict[int, Size]) -> Tensor:
    """The batch's dims, and one dim for each other group."""
    batch, *merged = groups
    ordered = _ordered(operand, [label for group in groups for label in group])
    sizes = [math.prod(size[label] for label in group) for group in merged]
    return ops.reshape(ordered, shape=(*(size[label] for label in batch), *sizes))
