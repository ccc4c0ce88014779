"""Parameters and buffers (``torch.nn.parameter``)."""

from graphc.frontend.nn.parameter import Buffer as Buffer
from graphc.frontend.nn.parameter import Parameter as Parameter
from graphc.frontend.nn.uninitialized import UninitializedBuffer as UninitializedBuffer
from graphc.frontend.nn.uninitialized import UninitializedParameter as UninitializedParameter
from graphc.frontend.nn.uninitialized import is_lazy as is_lazy
