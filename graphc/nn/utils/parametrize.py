"""Parameters as functions of others (``torch.nn.utils.parametrize``)."""

from graphc.frontend.nn.utils.parametrization_list import ParametrizationList as ParametrizationList
from graphc.frontend.nn.utils.parametrize import cached as cached
from graphc.frontend.nn.utils.parametrize import is_parametrized as is_parametrized
from graphc.frontend.nn.utils.parametrize import (
    register_parametrization as register_parametrization,
)
from graphc.frontend.nn.utils.parametrize import remove_parametrizations as remove_parametrizations
from graphc.frontend.nn.utils.parametrize import (
    transfer_parametrizations_and_params as transfer_parametrizations_and_params,
)
from graphc.frontend.nn.utils.parametrize import (
    type_before_parametrizations as type_before_parametrizations,
)
