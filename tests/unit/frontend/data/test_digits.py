"""The shipped digits are the published ones, and safe to change after loading."""

import hashlib

import numpy as np

from graphc.frontend.data.digits import load_digits

# Of the 1,797 images and then the labels, as bytes, converted from the published text file.
SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_they_are_the_published_bytes() -> None:
    images, labels = load_digits()
    assert images.shape == (1797, 8, 8)
    assert labels.shape == (1797,)
    assert images.dtype == labels.dtype == np.uint8
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == SHA256


def test_pixels_and_classes_are_what_the_documentation_says() -> None:
    images, labels = load_digits()
    assert (images.min(), images.max()) == (0, 16)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_each_call_returns_fresh_writable_arrays() -> None:
    first, _ = load_digits()
    first[:] = 0
    second, _ = load_digits()
    assert second.max() == 16
