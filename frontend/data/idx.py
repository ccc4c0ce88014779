"""Arrays in IDX files, the format of MNIST, and the data set itself."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataFileError, MissingFileError
from graphc.frontend.data.dataset import Dataset
from graphc.frontend.making import concrete
from graphc.provenance import user_location_text
from graphc.storage import Array

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_MOST_DIMS = 64
"""Of numpy's arrays."""

PathLike = str | os.PathLike[str]


def read_idx(path: PathLike) -> Array:
    """Read the array in an IDX file.

    Args:
        path: the file, plain or compressed by gzip.

    Returns:
        An array of the file's shape and dtype, in this machine's byte order.

    Raises:
        MissingFileError: if there is no such file.
        DataFileError: if the file is not IDX, or shorter or longer than it says.

    Source: http://yann.lecun.com/exdb/mnist/, "the IDX file format".

    Example:
        >>> from pathlib import Path
        >>> header = bytes([0, 0, 0x08, 2]) + (2).to_bytes(4) + (3).to_bytes(4)
        >>> _ = Path("small-idx2-ubyte").write_bytes(header + bytes(range(6)))
        >>> read_idx("small-idx2-ubyte")
        array([[0, 1, 2],
               [3, 4, 5]], dtype=uint8)
    """
    content = _content(Path(path))
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise _damaged(path, "it does not begin as an IDX file does", content[:4].hex(" "))
    dtype, rank = np.dtype(_DTYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    if rank > _MOST_DIMS:
        raise _damaged(path, f"arrays have at most {_MOST_DIMS} dims", rank)
    if len(content) < start:
        raise _damaged(path, f"{rank} sizes need {start} bytes", len(content))
    shape = tuple(np.frombuffer(content[4:start], ">u4").tolist())
    wanted = start + math.prod(shape) * dtype.itemsize
    if len(content) != wanted:
        raise _damaged(path, f"{list(shape)} of {dtype.name} need {wanted} bytes", len(content))
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise MissingFileError("no such file", got=str(path), where=user_location_text()) from None
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, "it cannot be decompressed", error) from None


def _damaged(path: PathLike, why: str, got: object) -> DataFileError:
    return DataFileError(
        f"{os.fspath(path)} is damaged or no IDX file: {why}", got=str(got),
        where=user_location_text(),
    )  # fmt: skip


class MNIST(Dataset[tuple[Any, Any]]):
    """Handwritten digits, or whatever has MNIST's file names (``torchvision.datasets.MNIST``).

    A sample is a float32 image ``[1, 28, 28]`` in ``0 .. 1``, as torchvision's ``ToTensor`` makes
    it, and a class number; transforms get these.

    Args:
        root: the folder with the files, such as ``train-images-idx3-ubyte.gz``, compressed or not,
            or the one above torchvision's ``MNIST/raw``.
        train: the training images, or the test images.
        transform: applied to each image.
        target_transform: applied to each class number.
        download: must be False.

    Attributes:
        data: all images, uint8.
        targets: all class numbers, int64.

    Raises:
        MissingFileError: if the files are not there.
        DataFileError: if they are damaged, or do not belong together.
        ArgumentError: for ``download=True``: graphc opens no connections.
    """

    classes: Sequence[str] = tuple(map(str, range(10)))

    def __init__(
        self, root: PathLike, train: bool = True, transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None, download: bool = False,
    ) -> None:  # fmt: skip
        if download:
            raise ArgumentError(
                "MNIST: graphc downloads nothing", fix="put the four files into root",
                where=user_location_text(),
            )  # fmt: skip
        self.root, self.train = Path(root), train
        self.transform, self.target_transform = transform, target_transform
        part = "train" if train else "t10k"
        images = read_idx(_find(self.root, f"{part}-images", "idx3-ubyte"))
        labels = read_idx(_find(self.root, f"{part}-labels", "idx1-ubyte"))
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise DataFileError(
                "MNIST: images and labels do not belong together",
                got=f"{list(images.shape)} and {list(labels.shape)}", where=user_location_text(),
            )  # fmt: skip
        self.data, self.targets = concrete(images), concrete(labels.astype(np.int64))

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        image: Any = concrete(scaled(self.data.storage.array[index])[None])
        target: Any = int(self.targets.storage.array[index])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __getbatch__(self, indices: Sequence[int]) -> Any:
        """The images and class numbers at these places, unless something transforms them."""
        if self.transform is not None or self.target_transform is not None:
            return NotImplemented
        numbers = np.asarray(indices, np.int64)
        images = scaled(self.data.storage.array[numbers])[:, None]
        return [concrete(images), concrete(self.targets.storage.array[numbers])]

    def __len__(self) -> int:
        return len(self.data)


def scaled(pixels: Array) -> Array:
    """Whole numbers 0 .. 255 as float32 in 0 .. 1."""
    return pixels.astype(np.float32) / np.float32(255)


def _find(root: Path, start: str, kind: str) -> Path:
    names = [f"{start}{dot}{kind}{end}" for dot in "-." for end in ("", ".gz")]
    for folder in (root, root / "MNIST" / "raw", root / "raw"):
        for name in names:
            if (folder / name).is_file():
                return folder / name
    raise MissingFileError(
        "MNIST: a file is missing", got=f"nothing like {names[0]} in {root}",
        expected=", ".join(names), where=user_location_text(),
    )  # fmt: skip
