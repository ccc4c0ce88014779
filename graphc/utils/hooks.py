"""Handles of hooks (``torch.utils.hooks``)."""

from graphc.frontend.nn.hooks import RemovableHandle as RemovableHandle
