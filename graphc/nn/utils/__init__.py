"""Helpers over parameters and gradients (``torch.nn.utils``)."""

from graphc.frontend.nn.utils.clip_grad import clip_grad_norm_ as clip_grad_norm_
from graphc.frontend.nn.utils.clip_grad import clip_grad_value_ as clip_grad_value_
from graphc.frontend.nn.utils.vectors import parameters_to_vector as parameters_to_vector
from graphc.frontend.nn.utils.vectors import vector_to_parameters as vector_to_parameters
from graphc.nn.utils import rnn as rnn
