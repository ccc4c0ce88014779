"""Public face: ``graphc.cuda``, which says that there is none, so that scripts choose the CPU."""


def is_available() -> bool:
    """False: programs run on the CPU (``torch.cuda.is_available``)."""
    return False


def device_count() -> int:
    """0 (``torch.cuda.device_count``)."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: there are no devices to seed (``torch.cuda.manual_seed``)."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there are no devices to seed (``torch.cuda.manual_seed_all``)."""


def empty_cache() -> None:
    """Nothing: there is no memory of devices (``torch.cuda.empty_cache``)."""
