"""Public face: ``graphc.autograd.graph``."""

from graphc.frontend.autograd.multi_hooks import (
    register_multi_grad_hook as register_multi_grad_hook,
)
from graphc.frontend.autograd.saved_hooks import (
    disable_saved_tensors_hooks as disable_saved_tensors_hooks,
)
from graphc.frontend.autograd.saved_hooks import save_on_cpu as save_on_cpu
from graphc.frontend.autograd.saved_hooks import saved_tensors_hooks as saved_tensors_hooks
