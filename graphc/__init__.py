"""graphc: a static-graph compiler for array programs and neural networks.

Write PyTorch-style code, run it dynamically, or record it as a graph and compile the whole
training step into native code. ``import graphc as gc``.
"""

from graphc.dims import Dim as Dim
from graphc.dtypes import DType as DType
from graphc.dtypes import bfloat16 as bfloat16
from graphc.dtypes import bool_ as bool  # noqa: A004 - PyTorch's name
from graphc.dtypes import complex64 as complex64
from graphc.dtypes import complex128 as complex128
from graphc.dtypes import float16 as float16
from graphc.dtypes import float32 as float32
from graphc.dtypes import float64 as float64
from graphc.dtypes import int8 as int8
from graphc.dtypes import int16 as int16
from graphc.dtypes import int32 as int32
from graphc.dtypes import int64 as int64
from graphc.dtypes import promote_types as promote_types
from graphc.dtypes import uint8 as uint8
from graphc.errors import GraphcError as GraphcError
from graphc.frontend.autograd.api import grad as grad
from graphc.frontend.compare import Comparison as Comparison
from graphc.frontend.compare import compare as compare
from graphc.frontend.compiled import TensorSpec as TensorSpec
from graphc.frontend.compiled import compile as compile  # noqa: A004 - torch.compile's name
from graphc.frontend.compiled import trace as trace
from graphc.frontend.functions.creation import arange as arange
from graphc.frontend.functions.creation import as_tensor as as_tensor
from graphc.frontend.functions.creation import empty as empty
from graphc.frontend.functions.creation import empty_like as empty_like
from graphc.frontend.functions.creation import eye as eye
from graphc.frontend.functions.creation import from_numpy as from_numpy
from graphc.frontend.functions.creation import full as full
from graphc.frontend.functions.creation import full_like as full_like
from graphc.frontend.functions.creation import linspace as linspace
from graphc.frontend.functions.creation import ones as ones
from graphc.frontend.functions.creation import ones_like as ones_like
from graphc.frontend.functions.creation import tensor as tensor
from graphc.frontend.functions.creation import zeros as zeros
from graphc.frontend.functions.creation import zeros_like as zeros_like
from graphc.frontend.functions.indexing import gather as gather
from graphc.frontend.functions.indexing import index_select as index_select
from graphc.frontend.functions.indexing import nonzero as nonzero
from graphc.frontend.functions.indexing import scatter_add as scatter_add
from graphc.frontend.functions.indexing import take_along_dim as take_along_dim
from graphc.frontend.functions.pointwise import abs as abs  # noqa: A004 - PyTorch's name
from graphc.frontend.functions.pointwise import add as add
from graphc.frontend.functions.pointwise import bitwise_and as bitwise_and
from graphc.frontend.functions.pointwise import bitwise_left_shift as bitwise_left_shift
from graphc.frontend.functions.pointwise import bitwise_not as bitwise_not
from graphc.frontend.functions.pointwise import bitwise_or as bitwise_or
from graphc.frontend.functions.pointwise import bitwise_right_shift as bitwise_right_shift
from graphc.frontend.functions.pointwise import bitwise_xor as bitwise_xor
from graphc.frontend.functions.pointwise import ceil as ceil
from graphc.frontend.functions.pointwise import clamp as clamp
from graphc.frontend.functions.pointwise import cos as cos
from graphc.frontend.functions.pointwise import div as div
from graphc.frontend.functions.pointwise import eq as eq
from graphc.frontend.functions.pointwise import erf as erf
from graphc.frontend.functions.pointwise import exp as exp
from graphc.frontend.functions.pointwise import expm1 as expm1
from graphc.frontend.functions.pointwise import floor as floor
from graphc.frontend.functions.pointwise import floor_divide as floor_divide
from graphc.frontend.functions.pointwise import ge as ge
from graphc.frontend.functions.pointwise import gt as gt
from graphc.frontend.functions.pointwise import isfinite as isfinite
from graphc.frontend.functions.pointwise import isinf as isinf
from graphc.frontend.functions.pointwise import isnan as isnan
from graphc.frontend.functions.pointwise import le as le
from graphc.frontend.functions.pointwise import log as log
from graphc.frontend.functions.pointwise import log1p as log1p
from graphc.frontend.functions.pointwise import logical_and as logical_and
from graphc.frontend.functions.pointwise import logical_not as logical_not
from graphc.frontend.functions.pointwise import logical_or as logical_or
from graphc.frontend.functions.pointwise import logical_xor as logical_xor
from graphc.frontend.functions.pointwise import lt as lt
from graphc.frontend.functions.pointwise import masked_fill as masked_fill
from graphc.frontend.functions.pointwise import maximum as maximum
from graphc.frontend.functions.pointwise import minimum as minimum
from graphc.frontend.functions.pointwise import mul as mul
from graphc.frontend.functions.pointwise import ne as ne
from graphc.frontend.functions.pointwise import neg as neg
from graphc.frontend.functions.pointwise import pow as pow  # noqa: A004 - PyTorch's name
from graphc.frontend.functions.pointwise import reciprocal as reciprocal
from graphc.frontend.functions.pointwise import relu as relu
from graphc.frontend.functions.pointwise import remainder as remainder
from graphc.frontend.functions.pointwise import round as round  # noqa: A004 - PyTorch's name
from graphc.frontend.functions.pointwise import rsqrt as rsqrt
from graphc.frontend.functions.pointwise import sigmoid as sigmoid
from graphc.frontend.functions.pointwise import sign as sign
from graphc.frontend.functions.pointwise import sin as sin
from graphc.frontend.functions.pointwise import sqrt as sqrt
from graphc.frontend.functions.pointwise import square as square
from graphc.frontend.functions.pointwise import sub as sub
from graphc.frontend.functions.pointwise import tan as tan
from graphc.frontend.functions.pointwise import tanh as tanh
from graphc.frontend.functions.pointwise import trunc as trunc
from graphc.frontend.functions.pointwise import where as where
from graphc.frontend.functions.products import bmm as bmm
from graphc.frontend.functions.products import dot as dot
from graphc.frontend.functions.products import matmul as matmul
from graphc.frontend.functions.products import mm as mm
from graphc.frontend.functions.products import mv as mv
from graphc.frontend.functions.reduction import all as all  # noqa: A004 - PyTorch's name
from graphc.frontend.functions.reduction import amax as amax
from graphc.frontend.functions.reduction import amin as amin
from graphc.frontend.functions.reduction import any as any  # noqa: A004 - PyTorch's name
from graphc.frontend.functions.reduction import argmax as argmax
from graphc.frontend.functions.reduction import argmin as argmin
from graphc.frontend.functions.reduction import log_softmax as log_softmax
from graphc.frontend.functions.reduction import logsumexp as logsumexp
from graphc.frontend.functions.reduction import max as max  # noqa: A004 - PyTorch's name
from graphc.frontend.functions.reduction import mean as mean
from graphc.frontend.functions.reduction import min as min  # noqa: A004 - PyTorch's name
from graphc.frontend.functions.reduction import norm as norm
from graphc.frontend.functions.reduction import prod as prod
from graphc.frontend.functions.reduction import softmax as softmax
from graphc.frontend.functions.reduction import std as std
from graphc.frontend.functions.reduction import sum as sum  # noqa: A004 - PyTorch's name
from graphc.frontend.functions.reduction import var as var
from graphc.frontend.functions.sampling import Generator as Generator
from graphc.frontend.functions.sampling import bernoulli as bernoulli
from graphc.frontend.functions.sampling import get_rng_state as get_rng_state
from graphc.frontend.functions.sampling import initial_seed as initial_seed
from graphc.frontend.functions.sampling import manual_seed as manual_seed
from graphc.frontend.functions.sampling import normal as normal
from graphc.frontend.functions.sampling import rand as rand
from graphc.frontend.functions.sampling import rand_like as rand_like
from graphc.frontend.functions.sampling import randint as randint
from graphc.frontend.functions.sampling import randn as randn
from graphc.frontend.functions.sampling import randn_like as randn_like
from graphc.frontend.functions.sampling import randperm as randperm
from graphc.frontend.functions.sampling import seed as seed
from graphc.frontend.functions.sampling import set_rng_state as set_rng_state
from graphc.frontend.functions.shaping import broadcast_tensors as broadcast_tensors
from graphc.frontend.functions.shaping import broadcast_to as broadcast_to
from graphc.frontend.functions.shaping import cat as cat
from graphc.frontend.functions.shaping import chunk as chunk
from graphc.frontend.functions.shaping import clone as clone
from graphc.frontend.functions.shaping import flatten as flatten
from graphc.frontend.functions.shaping import flip as flip
from graphc.frontend.functions.shaping import narrow as narrow
from graphc.frontend.functions.shaping import permute as permute
from graphc.frontend.functions.shaping import reshape as reshape
from graphc.frontend.functions.shaping import split as split
from graphc.frontend.functions.shaping import squeeze as squeeze
from graphc.frontend.functions.shaping import stack as stack
from graphc.frontend.functions.shaping import t as t
from graphc.frontend.functions.shaping import transpose as transpose
from graphc.frontend.functions.shaping import unbind as unbind
from graphc.frontend.functions.shaping import unsqueeze as unsqueeze
from graphc.frontend.graph import Graph as Graph
from graphc.frontend.graph import placeholder as placeholder
from graphc.frontend.modes import enable_grad as enable_grad
from graphc.frontend.modes import is_grad_enabled as is_grad_enabled
from graphc.frontend.modes import is_recording as is_recording
from graphc.frontend.modes import no_grad as no_grad
from graphc.frontend.modes import set_grad_enabled as set_grad_enabled
from graphc.frontend.tensor import Tensor as Tensor
