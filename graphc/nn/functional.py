"""What layers compute, as functions: ``import graphc.nn.functional as F``."""

from graphc.frontend.arguments.checks import check_functions as _check_functions
from graphc.frontend.functions.rearranging import pixel_shuffle as pixel_shuffle
from graphc.frontend.functions.rearranging import pixel_unshuffle as pixel_unshuffle
from graphc.frontend.nn.functional.activation import *
from graphc.frontend.nn.functional.adaptive import *
from graphc.frontend.nn.functional.attention import *
from graphc.frontend.nn.functional.channels import *
from graphc.frontend.nn.functional.classification import *
from graphc.frontend.nn.functional.convolution import *
from graphc.frontend.nn.functional.ctc import *
from graphc.frontend.nn.functional.distance import *
from graphc.frontend.nn.functional.dropout import *
from graphc.frontend.nn.functional.embedding import *
from graphc.frontend.nn.functional.exponential import *
from graphc.frontend.nn.functional.fractional import *
from graphc.frontend.nn.functional.gating import *
from graphc.frontend.nn.functional.grids import *
from graphc.frontend.nn.functional.likelihood import *
from graphc.frontend.nn.functional.linear import *
from graphc.frontend.nn.functional.loss import *
from graphc.frontend.nn.functional.margin import *
from graphc.frontend.nn.functional.multi_head import *
from graphc.frontend.nn.functional.normalization import *
from graphc.frontend.nn.functional.padding import *
from graphc.frontend.nn.functional.patches import *
from graphc.frontend.nn.functional.piecewise import *
from graphc.frontend.nn.functional.pooling import *
from graphc.frontend.nn.functional.resize import *
from graphc.frontend.nn.functional.triplet import *
from graphc.frontend.nn.functional.unpooling import *

_check_functions(globals())
