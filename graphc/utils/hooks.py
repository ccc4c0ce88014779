"""Handles of hooks (``torch.utils.hooks``)."""

from graphc.frontend.nn.hooks.hook import RemovableHandle as RemovableHandle
