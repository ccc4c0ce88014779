"""Optimizers, with PyTorch's names: ``from graphc import optim``."""

from graphc.frontend.optim.adam import Adam as Adam
from graphc.frontend.optim.adam import AdamW as AdamW
from graphc.frontend.optim.optimizer import Optimizer as Optimizer
from graphc.frontend.optim.sgd import SGD as SGD
from graphc.optim import lr_scheduler as lr_scheduler
