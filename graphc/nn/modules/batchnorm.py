"""Batch norms (``torch.nn.modules.batchnorm``)."""

from graphc.frontend.nn.layers.batch_norm import BatchNorm1d as BatchNorm1d
from graphc.frontend.nn.layers.batch_norm import BatchNorm2d as BatchNorm2d
from graphc.frontend.nn.layers.batch_norm import BatchNorm3d as BatchNorm3d
from graphc.frontend.nn.layers.batch_norm import _BatchNorm as _BatchNorm
