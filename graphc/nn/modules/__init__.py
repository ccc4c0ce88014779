"""Modules (``torch.nn.modules``); all of them are in ``graphc.nn``."""

from graphc.frontend.nn.module import Module as Module
from graphc.nn.modules import module as module
