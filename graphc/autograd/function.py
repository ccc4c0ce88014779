"""Public face: ``graphc.autograd.function``."""

from graphc.frontend.autograd.function import Function as Function
from graphc.frontend.autograd.function import FunctionCtx as FunctionCtx
from graphc.frontend.autograd.function import once_differentiable as once_differentiable
