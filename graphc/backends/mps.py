"""Public face: ``graphc.backends.mps``, which says that there is none."""


def is_available() -> bool:
    """False: programs run on the CPU (``torch.backends.mps.is_available``)."""
    return False


def is_built() -> bool:
    """False (``torch.backends.mps.is_built``)."""
    return False
