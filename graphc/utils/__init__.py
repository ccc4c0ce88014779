"""Helpers (``torch.utils``)."""

from graphc.utils import data as data
from graphc.utils import hooks as hooks
