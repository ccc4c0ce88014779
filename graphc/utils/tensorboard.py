"""Logs for TensorBoard (``torch.utils.tensorboard``); needs the ``tensorboard`` extra."""

from graphc.frontend.training.tensorboard import SummaryWriter as SummaryWriter
