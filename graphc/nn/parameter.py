"""Parameters and buffers (``torch.nn.parameter``)."""

from graphc.frontend.nn.parameter import Buffer as Buffer
from graphc.frontend.nn.parameter import Parameter as Parameter
