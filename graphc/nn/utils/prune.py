"""Zeros in parameters (``torch.nn.utils.prune``)."""

from graphc.frontend.nn.utils.prune import custom_from_mask as custom_from_mask
from graphc.frontend.nn.utils.prune import global_unstructured as global_unstructured
from graphc.frontend.nn.utils.prune import identity as identity
from graphc.frontend.nn.utils.prune import is_pruned as is_pruned
from graphc.frontend.nn.utils.prune import l1_unstructured as l1_unstructured
from graphc.frontend.nn.utils.prune import ln_structured as ln_structured
from graphc.frontend.nn.utils.prune import random_structured as random_structured
from graphc.frontend.nn.utils.prune import random_unstructured as random_unstructured
from graphc.frontend.nn.utils.prune import remove as remove
from graphc.frontend.nn.utils.pruning import BasePruningMethod as BasePruningMethod
from graphc.frontend.nn.utils.pruning import PruningContainer as PruningContainer
from graphc.frontend.nn.utils.pruning_methods import CustomFromMask as CustomFromMask
from graphc.frontend.nn.utils.pruning_methods import Identity as Identity
from graphc.frontend.nn.utils.pruning_methods import L1Unstructured as L1Unstructured
from graphc.frontend.nn.utils.pruning_methods import LnStructured as LnStructured
from graphc.frontend.nn.utils.pruning_methods import RandomStructured as RandomStructured
from graphc.frontend.nn.utils.pruning_methods import RandomUnstructured as RandomUnstructured
