"""Modules (``torch.nn.modules``); the layers are in ``graphc.nn``."""

from graphc.frontend.nn.module import Module as Module
from graphc.nn.modules import batchnorm as batchnorm
from graphc.nn.modules import conv as conv
from graphc.nn.modules import module as module
