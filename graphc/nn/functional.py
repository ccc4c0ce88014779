"""What layers compute, as functions: ``import graphc.nn.functional as F``."""

from graphc.frontend.functions.shaping import pad as pad
from graphc.frontend.nn.functional.activation import gelu as gelu
from graphc.frontend.nn.functional.activation import leaky_relu as leaky_relu
from graphc.frontend.nn.functional.activation import log_softmax as log_softmax
from graphc.frontend.nn.functional.activation import logsigmoid as logsigmoid
from graphc.frontend.nn.functional.activation import relu as relu
from graphc.frontend.nn.functional.activation import sigmoid as sigmoid
from graphc.frontend.nn.functional.activation import silu as silu
from graphc.frontend.nn.functional.activation import softmax as softmax
from graphc.frontend.nn.functional.activation import softplus as softplus
from graphc.frontend.nn.functional.activation import tanh as tanh
from graphc.frontend.nn.functional.classification import cross_entropy as cross_entropy
from graphc.frontend.nn.functional.classification import nll_loss as nll_loss
from graphc.frontend.nn.functional.dropout import dropout as dropout
from graphc.frontend.nn.functional.linear import embedding as embedding
from graphc.frontend.nn.functional.linear import linear as linear
from graphc.frontend.nn.functional.linear import one_hot as one_hot
from graphc.frontend.nn.functional.loss import (
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
)
from graphc.frontend.nn.functional.loss import l1_loss as l1_loss
from graphc.frontend.nn.functional.loss import mse_loss as mse_loss
from graphc.frontend.nn.functional.normalization import batch_norm as batch_norm
from graphc.frontend.nn.functional.normalization import layer_norm as layer_norm
