"""Numbers, histograms, texts and images for TensorBoard, written by its own package."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DependencyError
from graphc.frontend.base import is_tensor
from graphc.frontend.saving.save import PathLike
from graphc.provenance import user_location_text
from graphc.storage import Array


class SummaryWriter:
    """Writes event files that ``tensorboard --logdir runs`` shows.

    Needs the ``tensorboard`` extra: ``pip install graphc[tensorboard]``.

    Args:
        log_dir: folder; default: ``runs/`` and the time, this machine's name and the comment.
        comment: see ``log_dir``.
        purge_step: of a run that goes on: hide what was written at this step and later before.
        max_queue: how many events may wait to be written.
        flush_secs: how often they are written at least.
        filename_suffix: what the file's name ends with.

    Raises:
        DependencyError: if TensorBoard is not installed.

    Values may be tensors, arrays or numbers. What PyTorch's writer has beyond these methods
    is not there.

    Source: ``torch.utils.tensorboard.SummaryWriter``.

    Example:
        >>> import graphc as gc
        >>> from graphc.utils.tensorboard import SummaryWriter
        >>> with SummaryWriter("runs/first") as writer:
        ...     writer.add_scalar("loss", gc.tensor(0.25), 1)
    """

    def __init__(
        self, log_dir: PathLike | None = None, comment: str = "", purge_step: int | None = None,
        max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = "",
    ) -> None:  # fmt: skip
        self._parts = _Parts()
        if not log_dir:
            moment = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = Path("runs", f"{moment}_{socket.gethostname()}{comment}")
        self.log_dir = os.fspath(log_dir)
        self._options = (max_queue, flush_secs, filename_suffix)
        self._writers: dict[str, Any] = {}
        self._writer(self.log_dir)
        if purge_step is not None:
            start = self._parts.event.SessionLog(status=self._parts.event.SessionLog.START)
            self._add({"file_version": "brain.Event:2"}, purge_step, None)
            self._add({"session_log": start}, purge_step, None)

    def get_logdir(self) -> str:
        """The folder."""
        return self.log_dir

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Add one number.

        Args:
            tag: the curve's name; names with a common part before ``/`` stand together.
            scalar_value: a number, or a tensor of one element.
            global_step: where on the curve.
            walltime: seconds since 1970; default: now.

        Raises:
            ArgumentError: for more or less than one number.
        """
        value = {"tag": tag, "simple_value": _number(tag, scalar_value)}
        self._add_summary(value, global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: Mapping[str, Any], global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Add one number each to several curves in one picture.

        Args:
            main_tag: the picture's name.
            tag_scalar_dict: numbers by the names of the curves.
            global_step: where on the curves.
            walltime: seconds since 1970; default: now.

        Each curve has a folder of its own, which TensorBoard shows as a run.
        """
        for tag, number in tag_scalar_dict.items():
            value = {"tag": main_tag, "simple_value": _number(tag, number)}
            folder = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            self._add_summary(value, global_step, walltime, folder)

    def add_histogram(
        self, tag: str, values: Any, global_step: int | None = None,
        bins: str | Sequence[float] = "tensorflow", walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Add the distribution of many numbers, such as a layer's weights or gradients.

        Args:
            tag: its name.
            values: a tensor; what is not finite is left out.
            global_step: when it was so.
            bins: the limits, or one of numpy's names; by default they grow by a tenth each.
            walltime: seconds since 1970; default: now.

        Raises:
            ArgumentError: if no finite number is left.
        """
        given = _array(values).astype(np.float64).reshape(-1)
        finite = given[np.isfinite(given)]
        if finite.size == 0:
            raise ArgumentError(
                f"add_histogram: {tag!r} has no finite numbers", got=f"{given.size} others",
                where=user_location_text(),
            )  # fmt: skip
        limits = _growing_bins() if isinstance(bins, str) and bins == "tensorflow" else bins
        histogram = self._parts.summary.HistogramProto(**_histogram(finite, limits))
        self._add_summary({"tag": tag, "histo": histogram}, global_step, walltime)

    def add_text(
        self, tag: str, text_string: str, global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Add a text in Markdown.

        Args:
            tag: its name.
            text_string: the text.
            global_step: when it was so.
            walltime: seconds since 1970; default: now.
        """
        parts = self._parts
        content = parts.text.TextPluginData(version=0).SerializeToString()
        plugin = parts.summary.SummaryMetadata.PluginData(plugin_name="text", content=content)
        size = parts.shape.TensorShapeProto.Dim(size=1)
        tensor = parts.tensor.TensorProto(
            dtype="DT_STRING", string_val=[text_string.encode()],
            tensor_shape=parts.shape.TensorShapeProto(dim=[size]),
        )  # fmt: skip
        value = {
            "tag": f"{tag}/text_summary", "tensor": tensor,
            "metadata": parts.summary.SummaryMetadata(plugin_data=plugin),
        }  # fmt: skip
        self._add_summary(value, global_step, walltime)

    def add_image(
        self, tag: str, img_tensor: Any, global_step: int | None = None,
        walltime: float | None = None, dataformats: str = "CHW",
    ) -> None:  # fmt: skip
        """Add an image.

        Args:
            tag: its name.
            img_tensor: uint8, or floating point from 0 to 1, with 1, 3 or 4 channels.
            global_step: when it was so.
            walltime: seconds since 1970; default: now.
            dataformats: what the dims are: a permutation of ``"CHW"``, or ``"HW"``.

        Raises:
            ArgumentError: if the dims are not as the format says.
        """
        pixels = _pixels(tag, _array(img_tensor), dataformats)
        image = self._parts.summary.Summary.Image(
            height=pixels.shape[0], width=pixels.shape[1], colorspace=pixels.shape[2],
            encoded_image_string=_png(pixels),
        )  # fmt: skip
        self._add_summary({"tag": tag, "image": image}, global_step, walltime)

    def flush(self) -> None:
        """Write what waits."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Write what waits and close the files; adding more later begins new ones."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def _writer(self, folder: str) -> Any:
        if folder not in self._writers:
            self._writers[folder] = self._parts.writer.EventFileWriter(folder, *self._options)
        return self._writers[folder]

    def _add_summary(
        self, value: dict[str, Any], step: int | None, walltime: float | None,
        folder: str | None = None,
    ) -> None:  # fmt: skip
        summary = self._parts.summary.Summary
        made = summary(value=[summary.Value(**value)])
        self._add({"summary": made}, step, walltime, folder)

    def _add(
        self, fields: dict[str, Any], step: int | None, walltime: float | None,
        folder: str | None = None,
    ) -> None:  # fmt: skip
        event = self._parts.event.Event(**fields)
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self._writer(folder or self.log_dir).add_event(event)


class _Parts:
    """The modules of TensorBoard that write."""

    def __init__(self) -> None:
        try:
            self.writer: Any = import_module("tensorboard.summary.writer.event_file_writer")
        except ImportError as error:
            raise DependencyError(
                "SummaryWriter: TensorBoard is not installed", got=str(error),
                fix="pip install graphc[tensorboard]", where=user_location_text(),
            ) from error  # fmt: skip
        self.event: Any = import_module("tensorboard.compat.proto.event_pb2")
        self.summary: Any = import_module("tensorboard.compat.proto.summary_pb2")
        self.tensor: Any = import_module("tensorboard.compat.proto.tensor_pb2")
        self.shape: Any = import_module("tensorboard.compat.proto.tensor_shape_pb2")
        self.text: Any = import_module("tensorboard.plugins.text.plugin_data_pb2")


def _array(value: Any) -> Array:
    return value.array("a value to log") if is_tensor(value) else np.asarray(value)


def _number(tag: str, value: Any) -> float:
    array = _array(value)
    if array.size != 1:
        raise ArgumentError(
            f"{tag!r} needs one number", got=f"shape {array.shape}", fix="its mean, or one element",
            where=user_location_text(),
        )  # fmt: skip
    return float(array.reshape(()))


def _growing_bins() -> Array:
    """Limits that grow by a tenth each, on both sides of zero."""
    positive = np.multiply.accumulate(np.array([1e-12, *[1.1] * 1000]))
    positive = positive[positive < 1e20]
    return np.concatenate([-positive[::-1], [0.0], positive])


def _histogram(values: Array, bins: Any) -> dict[str, Any]:
    """From an empty bin before the first one that has values to the last one that has."""
    counts, limits = np.histogram(values, bins)
    filled = np.flatnonzero(counts)
    first, last = (filled[0], filled[-1]) if filled.size else (0, 0)
    return {
        "min": values.min(), "max": values.max(), "num": len(values), "sum": values.sum(),
        "sum_squares": values.dot(values), "bucket_limit": limits[first : last + 2].tolist(),
        "bucket": [0, *counts[first : last + 1].tolist()],
    }  # fmt: skip


def _pixels(tag: str, array: Array, dataformats: str) -> Array:
    """Rows, columns and channels of bytes."""
    form = dataformats.upper()
    if sorted(form) not in (["C", "H", "W"], ["H", "W"]) or array.ndim != len(form):
        raise ArgumentError(
            f"add_image: the dims of {tag!r} are not as dataformats says",
            got=f"shape {array.shape} as {dataformats!r}", where=user_location_text(),
        )  # fmt: skip
    pixels = array.transpose([form.index(dim) for dim in "HWC" if dim in form])
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if pixels.shape[2] not in (1, 3, 4):
        raise ArgumentError(
            f"add_image: {tag!r} must have 1, 3 or 4 channels", got=str(pixels.shape[2]),
            where=user_location_text(),
        )  # fmt: skip
    if pixels.dtype != np.uint8:
        pixels = (pixels.astype(np.float64) * 255).clip(0, 255).astype(np.uint8)
    return pixels


def _png(pixels: Array) -> bytes:
    image: Any = import_module("PIL.Image")  # TensorBoard needs it, too
    memory = io.BytesIO()
    image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(memory, "PNG")
    return memory.getvalue()
