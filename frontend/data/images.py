"""Image files in folders, one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataFileError, DependencyError, MissingFileError
from graphc.frontend.data.dataset import Dataset
from graphc.frontend.data.idx import scaled
from graphc.frontend.making import concrete
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

IMG_EXTENSIONS = (
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp",
)  # fmt: skip


class ImageFolder(Dataset[tuple[Any, Any]]):
    """Images in one folder per class (``torchvision.datasets.ImageFolder``).

    ``root/cat/1.png`` is of class ``cat``; folders below a class's folder belong to it. A sample is
    an image and a class number. Pillow reads the files: ``pip install graphc[images]``.

    Args:
        root: the folder with the classes' folders.
        transform: makes of each image, a Pillow image, what the sample shall hold; default:
            ``image_to_tensor``.
        target_transform: applied to each class number.
        loader: reads the image at a path; default: Pillow, as RGB.
        is_valid_file: tells which paths count; default: those with a common image's ending.
        allow_empty: a class may have no files.

    Attributes:
        classes: the folders' names, sorted.
        class_to_idx: their numbers.
        samples: all paths and class numbers; also ``imgs``.
        targets: the class numbers.

    Raises:
        MissingFileError: if there are no folders, or a class has no files.
        DependencyError: when an image is read and Pillow is not installed.
        DataFileError: when a file is read that is no image.
    """

    def __init__(
        self, root: str | os.PathLike[str], transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        loader: Callable[[str], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False,
    ) -> None:  # fmt: skip
        self.root = os.fspath(root)
        self.transform, self.target_transform = transform, target_transform
        self.loader = loader or pil_loader
        self.classes, self.class_to_idx = _classes(Path(root))
        valid = is_valid_file or _looks_like_an_image
        self.samples: list[tuple[str, int]] = []
        for name, number in self.class_to_idx.items():
            paths = sorted(_files(os.path.join(self.root, name)))
            found = [(path, number) for path in paths if valid(path)]
            if not found and not allow_empty:
                raise MissingFileError(
                    f"ImageFolder: no image of class {name!r}", got=f"{len(paths)} other files",
                    expected="files that end in " + ", ".join(IMG_EXTENSIONS),
                    fix="allow_empty=True, or is_valid_file=", where=user_location_text(),
                )  # fmt: skip
            self.samples += found
        self.imgs = self.samples
        self.targets = [number for _, number in self.samples]

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        path, number = self.samples[index]
        image = self.loader(path)
        target: Any = number
        if self.transform is not None:
            image = self.transform(image)
        elif self.loader is pil_loader:
            image = image_to_tensor(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __len__(self) -> int:
        return len(self.samples)


def _classes(root: Path) -> tuple[list[str], dict[str, int]]:
    names = sorted(one.name for one in root.iterdir() if one.is_dir()) if root.is_dir() else []
    if not names:
        raise MissingFileError(
            "ImageFolder: no folder of a class", got=str(root), where=user_location_text()
        )
    return names, {name: number for number, name in enumerate(names)}


def _files(folder: str) -> list[str]:
    return [
        os.path.join(where, name)
        for where, _, names in os.walk(folder, followlinks=True)
        for name in names
    ]


def _looks_like_an_image(path: str) -> bool:
    return path.lower().endswith(IMG_EXTENSIONS)


def pil_loader(path: str) -> Any:
    """Read an image as RGB through Pillow.

    Raises:
        DependencyError: if Pillow is not installed.
        DataFileError: if the file is no image.
    """
    try:
        pillow = import_module("PIL.Image")
    except ImportError:
        raise DependencyError(
            "reading images needs Pillow, which is not installed",
            fix="pip install graphc[images], or pip install pillow", where=user_location_text(),
        ) from None  # fmt: skip
    try:
        with open(path, "rb") as file, pillow.open(file) as image:
            return image.convert("RGB")
    except _of_damaged_files(pillow) as error:
        raise DataFileError(
            "the file is damaged or no image", got=f"{path}: {error}", where=user_location_text()
        ) from error


def _of_damaged_files(pillow: Any) -> tuple[type[Exception], ...]:
    """What Pillow raises for damaged files, the last for sizes that nobody means."""
    return OSError, SyntaxError, ValueError, pillow.DecompressionBombError


def image_to_tensor(image: Any) -> Tensor:
    """An image as float32 in 0 .. 1, with the channels first.

    Args:
        image: a Pillow image, or uint8 of shape ``[H, W]`` or ``[H, W, C]``.

    Source: ``torchvision.transforms.ToTensor``.

    Example:
        >>> import numpy as np
        >>> image_to_tensor(np.full((2, 2), 255, np.uint8)).shape
        (1, 2, 2)
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise ArgumentError(
            "image_to_tensor: expected uint8 of shape [H, W] or [H, W, C]",
            got=f"{pixels.dtype}{list(pixels.shape)}", where=user_location_text(),
        )  # fmt: skip
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return concrete(np.ascontiguousarray(scaled(planes)))
