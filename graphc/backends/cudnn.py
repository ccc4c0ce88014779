"""Public face: ``graphc.backends.cudnn``, which is not there: its settings change nothing.

Every run of a graphc program gives the same bits, whatever ``deterministic`` and ``benchmark`` say.
"""

enabled = False
deterministic = True
benchmark = False


def is_available() -> bool:
    """False: programs run on the CPU (``torch.backends.cudnn.is_available``)."""
    return False


def version() -> None:
    """None: there is no cuDNN (``torch.backends.cudnn.version``)."""
