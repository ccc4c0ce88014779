"""The base of modules, and hooks of all modules (``torch.nn.modules.module``)."""

from graphc.frontend.nn.hooks.every_module import (
    register_module_buffer_registration_hook as register_module_buffer_registration_hook,
)
from graphc.frontend.nn.hooks.every_module import (
    register_module_forward_hook as register_module_forward_hook,
)
from graphc.frontend.nn.hooks.every_module import (
    register_module_forward_pre_hook as register_module_forward_pre_hook,
)
from graphc.frontend.nn.hooks.every_module import (
    register_module_full_backward_hook as register_module_full_backward_hook,
)
from graphc.frontend.nn.hooks.every_module import (
    register_module_full_backward_pre_hook as register_module_full_backward_pre_hook,
)
from graphc.frontend.nn.hooks.every_module import (
    register_module_module_registration_hook as register_module_module_registration_hook,
)
from graphc.frontend.nn.hooks.every_module import (
    register_module_parameter_registration_hook as register_module_parameter_registration_hook,
)
from graphc.frontend.nn.module import Module as Module
