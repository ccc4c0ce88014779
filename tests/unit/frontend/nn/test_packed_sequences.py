"""``nn.utils.rnn``: sequences of several lengths padded, packed and apart."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError, SymbolicValueError
from graphc.nn.utils import rnn
from tests.torch_oracle import check, torch

generator = np.random.default_rng(3)


def packed_by_hand(x: Any, lengths: list[int]) -> list[Any]:
    """Rows of ``(steps, batch, ...)`` step by step, longest sequence first."""
    order = sorted(range(len(lengths)), key=lambda at: -lengths[at])
    return [x[t, b] for t in range(max(lengths)) for b in order if t < lengths[b]]


@pytest.mark.parametrize("lengths", [[4], [1], [5, 5, 5], [5, 3, 3, 1], [1, 1], [2, 5, 1, 5]])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("tail", [(), (3,), (2, 0), (2, 3)])
def test_packing_and_back(lengths: list[int], batch_first: bool, tail: tuple[int, ...]) -> None:
    x = generator.normal(size=(6, len(lengths), *tail))
    given = np.swapaxes(x, 0, 1) if batch_first else x
    packed = rnn.pack_padded_sequence(gc.tensor(given), lengths, batch_first, False)
    np.testing.assert_array_equal(packed.data.numpy(), np.array(packed_by_hand(x, lengths)))
    sizes = [sum(length > t for length in lengths) for t in range(max(lengths))]
    assert packed.batch_sizes.tolist() == sizes
    padded, found = rnn.pad_packed_sequence(packed, batch_first, -7.0, total_length=6)
    assert found.tolist() == lengths
    expected = x.copy()
    for at, length in enumerate(lengths):
        expected[length:, at] = -7
    np.testing.assert_array_equal(
        padded.numpy(), np.swapaxes(expected, 0, 1) if batch_first else expected
    )
    for at, sequence in enumerate(rnn.unpack_sequence(packed)):
        np.testing.assert_array_equal(sequence.numpy(), x[: lengths[at], at])


@pytest.mark.parity
@pytest.mark.parametrize("lengths", [[5, 3, 3, 1], [4, 4, 4, 4], [2, 5, 1, 5]])
@pytest.mark.parametrize("batch_first", [False, True])
def test_packing_as_in_pytorch(lengths: list[int], batch_first: bool) -> None:
    enforce = lengths == sorted(lengths, reverse=True)

    def program(m: Any, x: Any) -> Any:
        utils = m.nn.utils.rnn
        packed = utils.pack_padded_sequence(x * 2, lengths, batch_first, enforce)
        padded, found = utils.pad_packed_sequence(packed, not batch_first, 0.5, 7)
        order = [y for y in packed[2:] if y is not None]
        assert len(order) == (0 if enforce else 2)
        return [packed.data, packed.batch_sizes, padded, found, *order]

    shape = (4, 5, 3) if batch_first else (5, 4, 3)
    check(program, generator.normal(size=shape))


@pytest.mark.parity
def test_lengths_as_tensor_and_whole_numbers_as_data() -> None:
    def program(m: Any, x: Any) -> Any:
        packed = m.nn.utils.rnn.pack_padded_sequence(x, m.tensor([3, 1]), enforce_sorted=False)
        return [packed.data, m.nn.utils.rnn.pad_packed_sequence(packed, padding_value=-1)[0]]

    check(program, generator.integers(0, 9, (4, 2)), record=False)


@pytest.mark.parity
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("tail", [(), (2, 3)])
def test_pad_sequence(batch_first: bool, side: str, tail: tuple[int, ...]) -> None:
    parts = [generator.normal(size=(length, *tail)) for length in (2, 5, 1)]

    def program(m: Any, *xs: Any) -> Any:
        return m.nn.utils.rnn.pad_sequence(list(xs), batch_first, 1.5, side)

    check(program, *parts)


@pytest.mark.parity
def test_sequences_apart_and_together() -> None:
    def program(m: Any, *xs: Any) -> Any:
        utils = m.nn.utils.rnn
        packed = utils.pack_sequence([x * 3 for x in xs], enforce_sorted=False)
        padded = utils.pad_sequence(list(xs), batch_first=True)
        lengths = [x.shape[0] for x in xs]
        return [*utils.unpack_sequence(packed),
                *utils.unpad_sequence(padded, m.tensor(lengths), batch_first=True)]  # fmt: skip

    check(program, *(generator.normal(size=(n, 2)) for n in (2, 4, 1)), record=False)


def test_unpad_leaves_its_argument_alone() -> None:
    x = gc.tensor(np.arange(6.0).reshape(3, 2))
    first, second = rnn.unpad_sequence(x, [2, 9])
    assert (first.tolist(), second.tolist(), x.shape) == ([0, 2], [1, 3, 5], (3, 2))


def test_packing_is_recorded_without_a_loop() -> None:
    def there_and_back(x: gc.Tensor) -> gc.Tensor:
        return rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [30, 20, 10]))[0]

    graph = gc.trace(there_and_back, gc.TensorSpec((40, 3, 2)))
    assert len(graph.recorder.program({"y": graph.structure}).nodes) < 12
    x = generator.normal(size=(40, 3, 2)).astype(np.float32)
    expected = there_and_back(gc.tensor(x))
    np.testing.assert_array_equal(gc.compile(there_and_back)(x).numpy(), expected.numpy())


def test_a_packed_argument_is_traced_for_its_batch_sizes() -> None:
    @gc.compile
    def doubled(packed: rnn.PackedSequence) -> tuple[gc.Tensor, rnn.PackedSequence]:
        padded, _ = rnn.pad_packed_sequence(packed)
        return padded * 2, rnn.PackedSequence(packed.data * 3, *packed[1:])

    for lengths in ([3, 1], [3, 1], [2, 2]):
        parts = [gc.tensor(generator.normal(size=n)) for n in lengths]
        packed = rnn.pack_sequence(parts)
        padded, tripled = doubled(packed)
        np.testing.assert_array_equal(padded.numpy(), rnn.pad_sequence(parts).numpy() * 2)
        assert isinstance(tripled, rnn.PackedSequence)
        np.testing.assert_array_equal(tripled.data.numpy(), packed.data.numpy() * 3)
        assert tripled.batch_sizes.tolist() == packed.batch_sizes.tolist()
        np.testing.assert_array_equal(rnn.unpack_sequence(tripled)[0].numpy(), parts[0].numpy() * 3)
    assert doubled.cache_info().misses == 2


def test_batch_sizes_alone_as_an_argument() -> None:
    @gc.compile
    def padded(batch_sizes: gc.Tensor, data: gc.Tensor) -> gc.Tensor:
        made = rnn.pad_packed_sequence(rnn.PackedSequence(data, batch_sizes))[0]
        made.sum().backward()
        return made

    for lengths in ([3, 1], [3, 1], [2, 2], [3, 1]):
        packed = rnn.pack_sequence([gc.tensor(generator.normal(size=n)) for n in lengths])
        data = packed.data.clone().requires_grad_()
        expected = rnn.pad_packed_sequence(packed)[0].numpy()
        np.testing.assert_array_equal(padded(packed.batch_sizes, data).detach().numpy(), expected)
        assert data.grad is not None
    assert padded.cache_info().misses == 2


def test_packed_sequence_itself() -> None:
    packed = rnn.pack_sequence([gc.tensor([1.0, 2.0]), gc.tensor([3.0])])
    assert packed.to(gc.float32) is packed is packed.cpu() is packed.float() is packed.pin_memory()
    for name, dtype in {"double": gc.float64, "half": gc.float16, "long": gc.int64, "int": gc.int32,
                        "short": gc.int16, "char": gc.int8, "byte": gc.uint8}.items():  # fmt: skip
        made = getattr(packed, name)()
        assert made.data.dtype is dtype
        assert made.batch_sizes.tolist() == [2, 1]
    assert not packed.is_cuda
    assert not packed.is_pinned()
    shuffled = rnn.PackedSequence((packed.data, packed.batch_sizes), None, gc.tensor([1, 0]))  # type: ignore[arg-type]
    assert shuffled.unsorted_indices is not None
    assert shuffled.unsorted_indices.tolist() == [1, 0]
    for again in (copy.deepcopy(shuffled), pickle.loads(pickle.dumps(shuffled))):
        assert isinstance(again, rnn.PackedSequence)
        assert [x.tolist() for x in again] == [x.tolist() for x in shuffled]
    assert rnn.invert_permutation(None) is None


X = np.zeros((4, 3, 2))
WRONG: dict[str, Callable[[Any, Any, Callable[[Any], Any]], Any]] = {
    "zero length": lambda m, r, x: r.pack_padded_sequence(x(X), [4, 3, 0]),
    "not sorted": lambda m, r, x: r.pack_padded_sequence(x(X), [3, 4, 1]),
    "too few lengths": lambda m, r, x: r.pack_padded_sequence(x(X), [4, 4]),
    "no lengths": lambda m, r, x: r.pack_padded_sequence(x(X), []),
    "table of lengths": lambda m, r, x: r.pack_padded_sequence(x(X), m.tensor([[4, 3, 1]])),
    "no batch": lambda m, r, x: r.pack_padded_sequence(x(X[0, 0]), [2]),
    "nothing to pack": lambda m, r, x: r.pack_sequence([x(X[:0])]),
    "not sorted either": lambda m, r, x: r.pack_sequence([x(X[:1]), x(X[:2])]),
    "no sequences": lambda m, r, x: r.pad_sequence([]),
    "no sequence": lambda m, r, x: r.pad_sequence(5),
    "no tensors": lambda m, r, x: r.pad_sequence([1, 2]),
    "other tails": lambda m, r, x: r.pad_sequence([x(X), x(X[:, 0])]),
    "numbers": lambda m, r, x: r.pad_sequence([x(X[0, 0, 0])]),
    "which side": lambda m, r, x: r.pad_sequence([x(X)], padding_side="up"),
    "too short": lambda m, r, x: r.pad_packed_sequence(
        r.pack_padded_sequence(x(X), [4, 3, 1]), total_length=3
    ),
    "growing batch": lambda m, r, x: r.pad_packed_sequence(
        r.PackedSequence(x(X[:3, 0]), m.tensor([1, 2]))
    ),
    "too few rows": lambda m, r, x: r.pad_packed_sequence(
        r.PackedSequence(x(X[:3, 0]), m.tensor([2, 2]))
    ),
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("name", WRONG)
def test_errors_are_of_pytorchs_kind(name: str) -> None:
    call = WRONG[name]
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - whatever PyTorch raises
        call(torch(), torch().nn.utils.rnn, lambda x: torch().tensor(x))
    with pytest.raises(GraphcError) as ours:
        call(gc, rnn, gc.tensor)
    assert isinstance(ours.value, theirs.type)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: rnn.pack_padded_sequence(gc.zeros(4, 2), [5, 1]),
        lambda: rnn.PackedSequence(gc.zeros(3)),
        lambda: rnn.pad_packed_sequence(rnn.PackedSequence(gc.zeros(5), gc.tensor([2, 2]))),
        lambda: rnn.pad_packed_sequence(rnn.PackedSequence(gc.zeros(5), gc.tensor([5, 0]))),
        lambda: rnn.unpad_sequence(gc.zeros(4, 2), [1]),
    ],
)
def test_what_pytorch_lets_pass_or_asserts(wrong: Callable[[], object]) -> None:
    with pytest.raises(GraphcError, match=r"test_packed_sequences\.py"):
        wrong()


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("tail", [(), (2,), (2, 3)])
def test_lengths_that_only_the_run_knows(batch_first: bool, tail: tuple[int, ...]) -> None:
    x = generator.normal(size=(3, 5, *tail) if batch_first else (5, 3, *tail))

    @gc.compile
    def there_and_back(x: gc.Tensor, lengths: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
        packed = rnn.pack_padded_sequence(x * 2, lengths, batch_first, enforce_sorted=False)
        return rnn.pad_packed_sequence(packed, not batch_first, 0.5, total_length=7)

    for lengths in ([5, 2, 1], [1, 4, 3], [5, 5, 5]):
        found, again = there_and_back(gc.tensor(x), gc.tensor(lengths))
        packed = rnn.pack_padded_sequence(gc.tensor(x * 2), lengths, batch_first, False)
        expected, _ = rnn.pad_packed_sequence(packed, not batch_first, 0.5, total_length=7)
        np.testing.assert_array_equal(found.numpy(), expected.numpy())
        assert again.tolist() == lengths
    assert there_and_back.cache_info().misses == 1


ASKED: dict[str, Callable[[Any], object]] = {
    "rows": lambda packed: packed.data,
    "batch sizes": lambda packed: packed.batch_sizes,
    "longest": rnn.pad_packed_sequence,
    "lengths": rnn.unpack_sequence,
}


@pytest.mark.parametrize("what", ASKED)
def test_what_lengths_would_tell(what: str) -> None:
    def program(x: gc.Tensor, lengths: gc.Tensor) -> None:
        ASKED[what](rnn.pack_padded_sequence(x, lengths))

    with pytest.raises(SymbolicValueError, match=rf"the {what} of packed(.|\n)*total_length"):
        gc.compile(program)(gc.zeros(4, 2), gc.tensor([4, 1]))


@pytest.mark.parametrize(
    "lengths", [gc.tensor([1]), gc.tensor([1.0, 2.0]), gc.tensor([[1, 2]])], ids=str
)
def test_symbolic_lengths_that_do_not_fit(lengths: gc.Tensor) -> None:
    def program(x: gc.Tensor, lengths: gc.Tensor) -> gc.Tensor:
        packed = rnn.pack_padded_sequence(x, lengths)
        return rnn.pad_packed_sequence(packed, total_length=4)[0]

    with pytest.raises(GraphcError, match=r"test_packed_sequences\.py"):
        gc.compile(program)(gc.zeros(4, 2), lengths)


@pytest.mark.parametrize("total", [3, -1])
def test_symbolic_sequences_are_not_cut(total: int) -> None:
    def program(x: gc.Tensor, lengths: gc.Tensor) -> gc.Tensor:
        return rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, lengths), total_length=total)[0]

    with pytest.raises(GraphcError, match="4 or more"):
        gc.compile(program)(gc.zeros(4, 2), gc.tensor([3, 2]))


def test_lengths_that_change_outside() -> None:
    lengths = gc.tensor([3, 1])
    packed = gc.compile(lambda x: rnn.pack_padded_sequence(x, lengths).data)
    x = gc.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert packed(x).tolist() == [1, 2, 3, 5]
    lengths.fill_(2)
    assert packed(x).tolist() == [1, 2, 3, 4]
