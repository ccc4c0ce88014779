"""Convolutions (``torch.nn.modules.conv``)."""

from graphc.frontend.nn.layers.convolution import Conv1d as Conv1d
from graphc.frontend.nn.layers.convolution import Conv2d as Conv2d
from graphc.frontend.nn.layers.convolution import Conv3d as Conv3d
from graphc.frontend.nn.layers.convolution import ConvolutionBase as _ConvNd  # noqa: F401 - re-export
from graphc.frontend.nn.layers.transposed import ConvTranspose1d as ConvTranspose1d
from graphc.frontend.nn.layers.transposed import ConvTranspose2d as ConvTranspose2d
from graphc.frontend.nn.layers.transposed import ConvTranspose3d as ConvTranspose3d
