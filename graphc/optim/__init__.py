"""Optimizers, with PyTorch's names: ``from graphc import optim``."""

from graphc.frontend.optim.adadelta import Adadelta as Adadelta
from graphc.frontend.optim.adafactor import Adafactor as Adafactor
from graphc.frontend.optim.adagrad import Adagrad as Adagrad
from graphc.frontend.optim.adam import Adam as Adam
from graphc.frontend.optim.adam import AdamW as AdamW
from graphc.frontend.optim.adamax import Adamax as Adamax
from graphc.frontend.optim.asgd import ASGD as ASGD
from graphc.frontend.optim.lbfgs import LBFGS as LBFGS
from graphc.frontend.optim.muon import Muon as Muon
from graphc.frontend.optim.nadam import NAdam as NAdam
from graphc.frontend.optim.optimizer import Optimizer as Optimizer
from graphc.frontend.optim.radam import RAdam as RAdam
from graphc.frontend.optim.rmsprop import RMSprop as RMSprop
from graphc.frontend.optim.rprop import Rprop as Rprop
from graphc.frontend.optim.sgd import SGD as SGD
from graphc.optim import lr_scheduler as lr_scheduler
from graphc.optim import optimizer as optimizer
from graphc.optim import swa_utils as swa_utils
