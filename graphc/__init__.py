"""graphc: a static-graph compiler for array programs and neural networks.

Write PyTorch-style code, run it dynamically, or record it as a graph and compile the whole
training step into native code. ``import graphc as gc``.
"""

from importlib import import_module as _import_module
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import TYPE_CHECKING

from graphc.dims import Dim as Dim
from graphc.dtypes import DType as DType
from graphc.dtypes import DType as dtype  # noqa: F401, N813 - PyTorch's name
from graphc.dtypes import bfloat16 as bfloat16
from graphc.dtypes import bool_ as bool  # noqa: F401 - re-exported under PyTorch's name
from graphc.dtypes import complex64 as cfloat  # noqa: F401 - PyTorch's second name
from graphc.dtypes import complex64 as complex64
from graphc.dtypes import complex128 as cdouble  # noqa: F401 - PyTorch's second name
from graphc.dtypes import complex128 as complex128
from graphc.dtypes import float16 as float16
from graphc.dtypes import float16 as half  # noqa: F401 - PyTorch's second name
from graphc.dtypes import float32 as float  # noqa: F401 - PyTorch's second name
from graphc.dtypes import float32 as float32
from graphc.dtypes import float64 as double  # noqa: F401 - PyTorch's second name
from graphc.dtypes import float64 as float64
from graphc.dtypes import int8 as int8
from graphc.dtypes import int16 as int16
from graphc.dtypes import int16 as short  # noqa: F401 - PyTorch's second name
from graphc.dtypes import int32 as int  # noqa: F401 - PyTorch's second name
from graphc.dtypes import int32 as int32
from graphc.dtypes import int64 as int64
from graphc.dtypes import int64 as long  # noqa: F401 - PyTorch's second name
from graphc.dtypes import promote_types as promote_types
from graphc.dtypes import uint8 as uint8
from graphc.errors import GraphcError as GraphcError
from graphc.frontend.arguments.checks import check_functions as _check_functions
from graphc.frontend.arguments.checks import check_methods as _check_methods
from graphc.frontend.autograd.anomaly import (
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
)
from graphc.frontend.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
from graphc.frontend.autograd.api import grad as grad
from graphc.frontend.functions.assignment import *
from graphc.frontend.functions.calculus import *
from graphc.frontend.functions.checks import *
from graphc.frontend.functions.choosing import *
from graphc.frontend.functions.complexes import *
from graphc.frontend.functions.contractions import *
from graphc.frontend.functions.control import *
from graphc.frontend.functions.copies import *
from graphc.frontend.functions.counting import *
from graphc.frontend.functions.creation import *
from graphc.frontend.functions.diagonals import *
from graphc.frontend.functions.distances import *
from graphc.frontend.functions.distributions import *
from graphc.frontend.functions.einsum import *
from graphc.frontend.functions.equations import *
from graphc.frontend.functions.exchange import *
from graphc.frontend.functions.exponential import *
from graphc.frontend.functions.facts import *
from graphc.frontend.functions.generators import *
from graphc.frontend.functions.histograms import *
from graphc.frontend.functions.joining import *
from graphc.frontend.functions.legacy import *
from graphc.frontend.functions.limits import *
from graphc.frontend.functions.linalg import *
from graphc.frontend.functions.logic import *
from graphc.frontend.functions.matrix_names import *
from graphc.frontend.functions.norms import *
from graphc.frontend.functions.numbers import *
from graphc.frontend.functions.picking import *
from graphc.frontend.functions.pieces import *
from graphc.frontend.functions.pointwise import *
from graphc.frontend.functions.products import *
from graphc.frontend.functions.promotion import *
from graphc.frontend.functions.quantiles import *
from graphc.frontend.functions.rearranging import *
from graphc.frontend.functions.reduction import *
from graphc.frontend.functions.repeating import *
from graphc.frontend.functions.rounding import *
from graphc.frontend.functions.sampling import *
from graphc.frontend.functions.scan import *
from graphc.frontend.functions.scattering import *
from graphc.frontend.functions.searching import *
from graphc.frontend.functions.shape_rules import *
from graphc.frontend.functions.shaping import *
from graphc.frontend.functions.slice_norms import *
from graphc.frontend.functions.softmaxes import *
from graphc.frontend.functions.sorting import *
from graphc.frontend.functions.special import *
from graphc.frontend.functions.splitting import *
from graphc.frontend.functions.statistics import *
from graphc.frontend.functions.stft import *
from graphc.frontend.functions.strides import *
from graphc.frontend.functions.trigonometric import *
from graphc.frontend.functions.uniqueness import *
from graphc.frontend.functions.windows import *
from graphc.frontend.methods.inplace_functions import *
from graphc.frontend.modes import enable_grad as enable_grad
from graphc.frontend.modes import inference_mode as inference_mode
from graphc.frontend.modes import is_grad_enabled as is_grad_enabled
from graphc.frontend.modes import is_inference_mode_enabled as is_inference_mode_enabled
from graphc.frontend.modes import is_recording as is_recording
from graphc.frontend.modes import no_grad as no_grad
from graphc.frontend.modes import set_grad_enabled as set_grad_enabled
from graphc.frontend.nn.functional.cells import *
from graphc.frontend.nn.functional.recurrent import *
from graphc.frontend.nn.torch_names import *
from graphc.frontend.settings.default_dtype import get_default_dtype as get_default_dtype
from graphc.frontend.settings.default_dtype import set_default_dtype as set_default_dtype
from graphc.frontend.settings.devices import Device as device  # noqa: F401, N813 - PyTorch's name
from graphc.frontend.settings.machine import (
    are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled,
)
from graphc.frontend.settings.machine import get_default_device as get_default_device
from graphc.frontend.settings.machine import (
    get_float32_matmul_precision as get_float32_matmul_precision,
)
from graphc.frontend.settings.machine import get_num_threads as get_num_threads
from graphc.frontend.settings.machine import set_default_device as set_default_device
from graphc.frontend.settings.machine import (
    set_float32_matmul_precision as set_float32_matmul_precision,
)
from graphc.frontend.settings.machine import set_num_threads as set_num_threads
from graphc.frontend.settings.machine import (
    use_deterministic_algorithms as use_deterministic_algorithms,
)
from graphc.frontend.settings.print_options import set_printoptions as set_printoptions
from graphc.frontend.tensor import Tensor as Tensor

_check_functions(globals())
_check_methods(Tensor)

newaxis = None
"""Indexing with it adds a dim of size 1."""

# What is loaded when it is first used: with the compiler it is half of the time of an import.
_MODULES = frozenset(
    "autograd backends cuda fft func linalg nn optim random signal special training utils".split()
)
_HOMES = {
    "Comparison": "graphc.frontend.compare",
    "Graph": "graphc.frontend.graph",
    "TensorSpec": "graphc.frontend.compile.tracing",
    "compare": "graphc.frontend.compare",
    "compile": "graphc.frontend.compile.api",
    "load": "graphc.frontend.saving.load",
    "placeholder": "graphc.frontend.graph",
    "save": "graphc.frontend.saving.save",
    "trace": "graphc.frontend.compile.tracing",
    "vmap": "graphc.frontend.func.vmap",
}

if TYPE_CHECKING:
    from graphc import autograd as autograd
    from graphc import backends as backends
    from graphc import cuda as cuda
    from graphc import fft as fft
    from graphc import func as func
    from graphc import linalg as linalg
    from graphc import nn as nn
    from graphc import optim as optim
    from graphc import random as random
    from graphc import signal as signal
    from graphc import special as special
    from graphc import training as training
    from graphc import utils as utils
    from graphc.frontend.compare import Comparison as Comparison
    from graphc.frontend.compare import compare as compare
    from graphc.frontend.compile.api import compile as compile
    from graphc.frontend.compile.tracing import TensorSpec as TensorSpec
    from graphc.frontend.compile.tracing import trace as trace
    from graphc.frontend.func.vmap import vmap as vmap
    from graphc.frontend.graph import Graph as Graph
    from graphc.frontend.graph import placeholder as placeholder
    from graphc.frontend.saving.load import load as load
    from graphc.frontend.saving.save import save as save

    __version__: str
else:

    def __getattr__(name):
        if name in _MODULES:
            return _import_module(f"graphc.{name}")
        if name == "__version__":
            return _import_module("importlib.metadata").version("graphc")
        if name not in _HOMES:
            message = f"module 'graphc' has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=_import_module("graphc"))
        value = globals()[name] = getattr(_import_module(_HOMES[name]), name)
        return value

    def __dir__():
        return sorted({*globals(), *_MODULES, *_HOMES})

    __all__ = [name for name in __dir__() if not name.startswith("_")]
