"""Public face: ``graphc.cuda``, which says that there is none, so that scripts choose the CPU."""


def is_available() -> bool:
    """False: programs run on the CPU (``torch.cuda.is_available``)."""
    return False


def device_count() -> int:
    """0 (``torch.cuda.device_count``)."""
    return 0
