"""Helpers (``torch.utils``)."""

from graphc.utils import data as data
