"""Modules as functions of their parameters (``torch.nn.utils.stateless``)."""

from graphc.frontend.func.modules import functional_call as functional_call
