"""Readers of data files: right values, little memory, errors that say where."""

import gzip
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import (
    ArgumentError,
    DataFileError,
    DependencyError,
    DTypeError,
    MissingFileError,
)
from graphc.utils.data import (
    MNIST,
    ByteVocabulary,
    CharVocabulary,
    CsvDataset,
    DataLoader,
    ImageFolder,
    TokenWindows,
    image_to_tensor,
    read_csv,
    read_idx,
    split_in_order,
)
from tests.sources import ROOT

KINDS = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def idx_bytes(array: Any) -> bytes:
    code = KINDS[array.dtype.str[1:]]
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    swapped = array.astype(array.dtype.newbyteorder(">"))
    return bytes([0, 0, code, array.ndim]) + sizes + swapped.tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (0, 3)])
def test_idx_of_every_dtype(
    kind: str, shape: tuple[int, ...], tmp_path: Path, rng: np.random.Generator
) -> None:
    array = np.asarray(rng.normal(size=shape) * 50).astype(kind)
    for name, content in (("a", idx_bytes(array)), ("b.gz", gzip.compress(idx_bytes(array)))):
        (tmp_path / name).write_bytes(content)
        read = read_idx(tmp_path / name)
        assert read.dtype == array.dtype
        assert read.dtype.isnative
        assert read.flags.writeable
        np.testing.assert_array_equal(read, array)


def test_idx_errors(tmp_path: Path) -> None:
    whole = idx_bytes(np.arange(6, dtype=np.uint8).reshape(2, 3))
    packed = gzip.compress(whole)
    for content in (
        b"", whole[:3], whole[:7], whole[:-1], whole + b"x", b"\1" + whole[1:],
        b"\0\0\7" + whole[3:], b"\0\0\x08\x46" + b"\0\0\0\1" * 70 + b"x",
        packed[:-9], packed[:20] + b"zz" + packed[22:],
    ):  # fmt: skip
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(DataFileError, match="damaged or no IDX"):
            read_idx(tmp_path / "bad")
    with pytest.raises(MissingFileError) as caught:
        read_idx(tmp_path / "none")
    assert isinstance(caught.value, FileNotFoundError)


def write_mnist(folder: Path, part: str, count: int, end: str = "") -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    images = np.random.default_rng(count).integers(0, 256, (count, 28, 28)).astype(np.uint8)
    labels = (np.arange(count) % 10).astype(np.uint8)
    for array, kind in ((images, "images-idx3-ubyte"), (labels, "labels-idx1-ubyte")):
        content = idx_bytes(array)
        path = folder / f"{part}-{kind}{end}"
        path.write_bytes(gzip.compress(content) if end else content)
    return images, labels


@pytest.mark.parametrize(("place", "end"), [("", ""), ("MNIST/raw", ".gz"), ("raw", "")])
def test_mnist(place: str, end: str, tmp_path: Path) -> None:
    images, labels = write_mnist(tmp_path / place, "train", 12, end)
    write_mnist(tmp_path / place, "t10k", 5, end)
    data = MNIST(tmp_path)
    assert (len(data), len(MNIST(str(tmp_path), train=False))) == (12, 5)
    image, label = data[3]
    assert (image.dtype, image.shape, label) == (gc.float32, (1, 28, 28), 3)
    np.testing.assert_array_equal(image.numpy()[0], images[3].astype(np.float32) / 255)
    fast = list(DataLoader(data, 5))
    slow = list(DataLoader(MNIST(tmp_path, target_transform=int), 5))
    for (a, b), (c, d) in zip(fast, slow, strict=True):
        assert a.type == c.type
        assert b.type == d.type
        assert a.tolist() == c.tolist()
        assert b.tolist() == d.tolist()
    changed = MNIST(tmp_path, transform=lambda x: x * 2, target_transform=lambda y: y + 100)
    assert changed[3][1] == 103
    assert changed[3][0].tolist() == (image * 2).tolist()
    np.testing.assert_array_equal(data.data.numpy(), images)
    np.testing.assert_array_equal(data.targets.numpy(), labels)


def test_mnist_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="missing"):
        MNIST(tmp_path)
    with pytest.raises(ArgumentError, match="downloads nothing"):
        MNIST(tmp_path, download=True)
    write_mnist(tmp_path, "train", 12)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(11, np.uint8)))
    with pytest.raises(DataFileError, match="belong together"):
        MNIST(tmp_path)


def test_real_mnist_files_where_they_are() -> None:
    """The project's own data folder beside the checkout, if there is one: 10,000 test images."""
    folder = ROOT.parent / "shared" / "data"
    found = list(folder.glob("t10k-images-idx3-ubyte*"))
    for _ in found[:1]:
        data = MNIST(folder, train=False)
        assert len(data) == 10_000
        assert data.targets[:5].tolist() == [7, 2, 1, 0, 4]
        counts = np.bincount(data.targets.numpy())
        assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


TABLE = """name,a,b,when
x,1,1.5,yes
y, 2 ,,no
"x, y",3,1e3,TRUE
x,4,-inf,0
"""
DTYPES = {"name": "category", "a": "int16", "when": "bool"}


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    table = read_csv(path, dtypes=DTYPES)
    assert list(table.columns) == ["name", "a", "b", "when"]
    assert {name: column.dtype.name for name, column in table.columns.items()} == {
        "name": "int64", "a": "int16", "b": "float32", "when": "bool",
    }  # fmt: skip
    assert table.columns["name"].tolist() == [0, 1, 2, 0]
    assert table.categories == {"name": ["x", "y", "x, y"]}
    assert table.columns["a"].tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(table.columns["b"], [1.5, np.nan, 1000, -np.inf])
    assert table.columns["when"].tolist() == [True, False, True, False]
    assert list(read_csv(path, ["b", "a"]).columns) == ["b", "a"]
    assert read_csv(path, ["b"], fill=7).columns["b"].tolist()[1] == 7


def test_csv_forms(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbf1;2\r\n\r\n3;?\r\n")
    table = read_csv(path, header=False, delimiter=";", missing={"?"}, encoding="utf-8-sig")
    np.testing.assert_array_equal(table.columns["1"], np.float32([2, np.nan]))
    table = read_csv(
        path, ["v"], {"v": "int64"}, header=["u", "v"], delimiter=";", missing={"?"}, fill=-1,
        encoding="utf-8-sig",
    )  # fmt: skip
    assert table.columns["v"].tolist() == [2, -1]
    path.write_text("a,b\n")
    assert read_csv(path).columns["a"].shape == (0,)
    path.write_text("a\n1e300\n")
    assert read_csv(path).columns["a"].tolist() == [np.inf]
    path.write_text('a,b\n"two\nlines",1\nx,bad\n')
    with pytest.raises(DataFileError, match="line 4: column 'b': 'bad' is no float32"):
        read_csv(path, dtypes={"a": "category"})


@pytest.mark.parametrize(
    ("text", "dtypes", "message"),
    [
        ("", {}, "file is empty"),
        ("a,b\n1,2\n3\n", {}, "line 3: 1 fields where there are 2 columns"),
        ("a,b\n1,2\n3,4,5\n", {}, "line 3: 3 fields"),
        ("a\n1\n2x\n", {}, "line 3: column 'a': '2x' is no float32"),
        ("a\n1\n2.5\n", {"a": "int64"}, "line 3: column 'a': '2.5' is no int64"),
        ("a,b\n1,0\n,0\n", {"a": "int64"}, "line 3: column 'a': no value"),
        ("a\n1\n\n300\n", {"a": "uint8"}, "line 4: column 'a': '300' is out of uint8's range"),
        ("a\n-1\n", {"a": "uint8"}, "line 2: column 'a': '-1' is out of"),
        ("a\n99999999999999999999\n", {"a": "int64"}, "line 2"),
        ("a\nmaybe\n", {"a": "bool"}, "line 2: column 'a': 'maybe' is no bool"),
        ("a,b\n0,x\n1,\n", {"b": "category"}, "line 3: column 'b': no value"),
        ('a\n"1"2\n', {}, "line 2"),
        ("a\n1\n2\0\0\n", {}, "line 3: a character of code 0"),
        ("a\n1\n2\0\0\n", {"a": "category"}, "line 3: a character of code 0"),
        ("a,a\n1,2\n", {}, "two columns have one name"),
    ],
)
def test_csv_errors_say_where(text: str, dtypes: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(DataFileError, match=message):
        read_csv(path, dtypes=dtypes)


def test_csv_arguments(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("length,width\n1,2\n")
    with pytest.raises(MissingFileError):
        read_csv(tmp_path / "none.csv")
    for options in ({"columns": ["lenght"]}, {"dtypes": {"lenght": "int64"}}):
        with pytest.raises(ArgumentError, match="did you mean 'length'"):
            read_csv(path, **options)
    with pytest.raises(ArgumentError, match="did you mean 'width'"):
        CsvDataset(path, target="widht")
    with pytest.raises(ArgumentError, match="neither a feature nor a target"):
        CsvDataset(path, columns=[])
    with pytest.raises(ArgumentError, match="cannot be of this dtype"):
        read_csv(path, dtypes={"width": "complex64"})
    path.write_bytes(b"a\n\xff\n")
    with pytest.raises(DataFileError, match="no text in utf-8"):
        read_csv(path)


def test_long_csv_needs_the_memory_of_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    rows = 60_000
    path.write_text("a,b,kind\n" + "".join(f"{i},{i}.5,k{i % 3}\n" for i in range(rows)))
    tracemalloc.start()
    table = read_csv(path, dtypes={"a": "int32", "kind": "category"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert table.columns["a"].tolist() == list(range(rows))
    assert table.columns["kind"].tolist() == [i % 3 for i in range(rows)]
    numbers = sum(column.nbytes for column in table.columns.values())
    assert peak < 2 * numbers + 8_000_000
    path.write_text(path.read_text() + "7,x,k0\n")
    with pytest.raises(DataFileError, match="line 60002: column 'b': 'x'"):
        read_csv(path, dtypes={"kind": "category"})


def test_csv_rows_as_samples(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    data = CsvDataset(path, target="name", dtypes=DTYPES, fill=0)
    assert (data.names, data.categories["name"]) == (["a", "b", "when"], ["x", "y", "x, y"])
    features, target = data[2]
    assert (features.dtype, features.tolist()) == (gc.float32, [3.0, 1000.0, 1.0])
    assert (target.dtype, target.item()) == (gc.int64, 2)
    [(rows, names)] = DataLoader(CsvDataset(path, "name", ["a"], DTYPES), 4)
    assert (rows.tolist(), names.tolist()) == ([[1], [2], [3], [4]], [0, 1, 2, 0])
    [(rows,)] = DataLoader(CsvDataset(path, columns=["a", "b"], fill=0), 4, num_workers=1)
    assert rows.tolist()[1] == [2, 0]


def draw(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (4, 3)) -> None:
    import PIL.Image

    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", size, color).save(path)


def test_image_folders(tmp_path: Path) -> None:
    draw(tmp_path / "dog" / "b.png", (0, 255, 0))
    draw(tmp_path / "cat" / "far" / "c.PNG", (255, 0, 51))
    draw(tmp_path / "cat" / "a.png", (255, 0, 0))
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    data = ImageFolder(tmp_path)
    assert data.classes == ["cat", "dog"]
    assert data.class_to_idx == {"cat": 0, "dog": 1}
    assert data.targets == [0, 0, 1]
    assert [Path(path).name for path, _ in data.imgs] == ["a.png", "c.PNG", "b.png"]
    image, number = data[1]
    assert (image.dtype, image.shape, number) == (gc.float32, (3, 3, 4), 0)
    np.testing.assert_allclose(image.numpy()[:, 0, 0], [1, 0, 0.2])
    [(images, numbers)] = DataLoader(data, 3, num_workers=2)
    assert (images.shape, numbers.tolist()) == ((3, 3, 3, 4), [0, 0, 1])
    resized = ImageFolder(
        tmp_path, transform=lambda image: image_to_tensor(image.resize((2, 2))),
        target_transform=lambda number: -number, is_valid_file=lambda path: path.endswith(".png"),
    )  # fmt: skip
    assert len(resized) == 2
    assert (resized[1][0].shape, resized[1][1]) == ((3, 2, 2), -1)
    assert ImageFolder(tmp_path, loader=lambda path: Path(path).name)[0] == ("a.png", 0)


def test_image_folder_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingFileError, match="no folder of a class"):
        ImageFolder(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(MissingFileError, match="no image of class 'cat'"):
        ImageFolder(tmp_path)
    assert len(ImageFolder(tmp_path, allow_empty=True)) == 0
    huge = b"BM" + b"\0" * 12 + (40).to_bytes(4, "little") + b"\xff\xff\xff\x0f" * 2 + b"\1\0\x18"
    for content in (b"no image", b"P6\n3T 40\n255\n", b"P6\n" + b"1" * 30, huge.ljust(80, b"\0")):
        (tmp_path / "cat" / "a.png").write_bytes(content)
        with pytest.raises(DataFileError, match=r"(?s)damaged or no image.*a\.png"):
            ImageFolder(tmp_path)[0]
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(DependencyError, match=r"graphc\[images\]") as caught:
        ImageFolder(tmp_path)[0]
    assert isinstance(caught.value, ImportError)


def test_images_as_tensors() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    np.testing.assert_array_equal(
        image_to_tensor(pixels).numpy(), pixels.transpose(2, 0, 1).astype(np.float32) / 255
    )
    assert image_to_tensor(pixels[..., 0]).shape == (1, 2, 4)
    for wrong in (pixels.astype(float), pixels[0, 0]):
        with pytest.raises(ArgumentError, match="expected uint8"):
            image_to_tensor(wrong)


def test_vocabularies() -> None:
    text = "naïve 🙂\nend"
    vocabulary = CharVocabulary.of(text)
    assert vocabulary.characters == "".join(sorted(set(text)))
    tokens = vocabulary.encode(text)
    assert tokens.dtype is gc.int64
    assert tokens.tolist() == [vocabulary.characters.index(one) for one in text]
    assert vocabulary.decode(tokens) == text
    assert vocabulary.encode("").tolist() == []
    with pytest.raises(ArgumentError, match=r"(?s)not in the vocabulary.*'X' in line 2"):
        vocabulary.encode("na\nX")
    open_one = CharVocabulary("ba?", unknown="?")
    assert open_one.encode("abXb").tolist() == [1, 0, 2, 0]
    assert len(open_one) == 3
    with pytest.raises(ArgumentError, match="not in the vocabulary"):
        CharVocabulary("").encode("a")
    for wrong in (("aa", None), ("ab", "c")):
        with pytest.raises(ArgumentError, match="each character once"):
            CharVocabulary(*wrong)
    assert ByteVocabulary().encode(text).tolist() == list(text.encode())
    assert ByteVocabulary().decode(ByteVocabulary().encode(text)) == text
    assert ByteVocabulary().encode(b"\xff").tolist() == [255]
    assert ByteVocabulary().decode([255]) == "\ufffd"
    assert len(ByteVocabulary()) == 256


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("kind", ["uint8", "int64"])
def test_token_windows(stride: int, kind: str) -> None:
    tokens = np.random.default_rng(0).integers(0, 200, 23).astype(kind)
    windows = TokenWindows(tokens, 4, stride)
    starts = list(range(0, 23 - 4, stride))
    assert len(windows) == len(starts)
    for number, start in enumerate(starts):
        x, y = windows[number]
        assert x.dtype is y.dtype is gc.int64
        assert x.tolist() == tokens[start : start + 4].tolist()
        assert y.tolist() == tokens[start + 1 : start + 5].tolist()
    assert windows[-1][0].tolist() == windows[len(starts) - 1][0].tolist()
    inputs, targets = next(iter(DataLoader(windows, 3)))
    assert [x.tolist() for x in inputs] == [windows[i][0].tolist() for i in range(3)]
    assert [y.tolist() for y in targets] == [windows[i][1].tolist() for i in range(3)]
    with pytest.raises(IndexError):
        windows[len(windows)]


def test_token_windows_errors() -> None:
    for tokens, length, stride in (([1, 2], 2, 1), ([1, 2], 0, 1), ([1, 2], 1, 0)):
        with pytest.raises(ArgumentError, match="no window fits"):
            TokenWindows(gc.tensor(tokens), length, stride)
    for wrong in (gc.ones(4), gc.ones(2, 2, dtype=gc.int64)):
        with pytest.raises(DTypeError):
            TokenWindows(wrong, 1)


def test_splits_in_order() -> None:
    tokens = gc.arange(10)
    assert [part.tolist() for part in split_in_order(tokens, [7, 3])] == [
        list(range(7)), [7, 8, 9]
    ]  # fmt: skip
    assert [len(part) for part in split_in_order(np.arange(11), [0.9, 0.1])] == [10, 1]
    with pytest.raises(ArgumentError, match="split_in_order: the lengths do not add up"):
        split_in_order(tokens, [7, 4])
