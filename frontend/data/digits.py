"""Real handwritten digits, small enough to ship with the package."""

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


def load_digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the UCI handwritten digits, the test part: 1,797 images of 10 classes.

    The data (E. Alpaydin and C. Kaynak, 1998, doi 10.24432/C50P49) is licensed under CC BY 4.0;
    see ``digits.LICENSE.txt`` beside this file. Each call returns fresh, writable arrays.

    Returns:
        images: uint8 of shape (1797, 8, 8), pixels from 0 to 16.
        labels: uint8 of shape (1797,), from 0 to 9.

    >>> images, labels = load_digits()
    >>> images.shape, images.max(), labels[:5].tolist()
    ((1797, 8, 8), np.uint8(16), [0, 1, 2, 3, 4])
    """
    resource = files("graphc.frontend.data").joinpath("digits.npz")
    with resource.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return archive["images"], archive["labels"]
