"""graphc: a static-graph compiler for array programs and neural networks.

Write PyTorch-style code, run it dynamically, or record it as a graph and compile the whole
training step into native code. ``import graphc as gc``.
"""

from graphc.dims import Dim as Dim
from graphc.dtypes import DType as dtype  # noqa: N813 - PyTorch's name
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
from graphc.frontend.tensor import Tensor as Tensor
