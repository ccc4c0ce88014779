"""Where tensors are: in the memory of the CPU, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.errors import ArgumentError
from graphc.provenance import user_location_text


@dataclass(frozen=True)
class Device:
    """The CPU under PyTorch's name, so that ``device=`` may be passed on (``torch.device``).

    Args:
        type: ``"cpu"``.
        index: None or 0.

    Raises:
        ArgumentError: for any other device.

    Example:
        >>> import graphc as gc
        >>> gc.zeros(2, device="cpu").device
        device(type='cpu')
    """

    type: str = "cpu"
    index: int | None = None

    def __post_init__(self) -> None:
        kind, _, number = self.type.partition(":")
        if kind != "cpu" or number not in ("", "0") or self.index not in (None, 0):
            raise ArgumentError(
                "there is no such device", got=str(self), expected="cpu",
                where=user_location_text(),
            )  # fmt: skip
        object.__setattr__(self, "type", kind)
        object.__setattr__(self, "index", 0 if number else self.index)

    def __repr__(self) -> str:
        place = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{place})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"


DeviceLike = Device | str | None

CPU = Device()


def require_cpu(device: DeviceLike) -> None:
    """Raise ArgumentError for a device that is not the CPU."""
    if device is not None and not isinstance(device, Device):
        Device(device)
