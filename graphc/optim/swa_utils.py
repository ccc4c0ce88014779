"""Averages of weights over training (``torch.optim.swa_utils``)."""

from graphc.frontend.optim.schedules.averaged import SWALR as SWALR
