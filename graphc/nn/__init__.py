"""Neural networks, with PyTorch's names: ``from graphc import nn``."""

from graphc.frontend.nn.containers import ModuleDict as ModuleDict
from graphc.frontend.nn.containers import ModuleList as ModuleList
from graphc.frontend.nn.containers import Sequential as Sequential
from graphc.frontend.nn.layers.activation import *
from graphc.frontend.nn.layers.adaptive_softmax import *
from graphc.frontend.nn.layers.attention import *
from graphc.frontend.nn.layers.batch_norm import *
from graphc.frontend.nn.layers.convolution import *
from graphc.frontend.nn.layers.distance import *
from graphc.frontend.nn.layers.dropout import *
from graphc.frontend.nn.layers.embedding import *
from graphc.frontend.nn.layers.images import *
from graphc.frontend.nn.layers.lazy import *
from graphc.frontend.nn.layers.likelihood import *
from graphc.frontend.nn.layers.linear import *
from graphc.frontend.nn.layers.loss import *
from graphc.frontend.nn.layers.margin import *
from graphc.frontend.nn.layers.normalization import *
from graphc.frontend.nn.layers.padding import *
from graphc.frontend.nn.layers.piecewise import *
from graphc.frontend.nn.layers.pooling import *
from graphc.frontend.nn.layers.recurrent.base import RNNBase as RNNBase
from graphc.frontend.nn.layers.recurrent.cells import *
from graphc.frontend.nn.layers.recurrent.layers import *
from graphc.frontend.nn.layers.resizing_pools import *
from graphc.frontend.nn.layers.shape import *
from graphc.frontend.nn.layers.smooth import *
from graphc.frontend.nn.layers.transformer import *
from graphc.frontend.nn.layers.transformer_layers import *
from graphc.frontend.nn.layers.transposed import *
from graphc.frontend.nn.module import Module as Module
from graphc.frontend.nn.parameter import Buffer as Buffer
from graphc.frontend.nn.parameter import Parameter as Parameter
from graphc.frontend.nn.parameter_containers import ParameterDict as ParameterDict
from graphc.frontend.nn.parameter_containers import ParameterList as ParameterList
from graphc.frontend.nn.uninitialized import UninitializedBuffer as UninitializedBuffer
from graphc.frontend.nn.uninitialized import UninitializedParameter as UninitializedParameter
from graphc.nn import functional as functional
from graphc.nn import init as init
from graphc.nn import modules as modules
from graphc.nn import parameter as parameter
from graphc.nn import utils as utils
