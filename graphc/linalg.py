"""Public face: ``graphc.linalg``."""

from graphc.frontend.functions.linalg import matrix_power as matrix_power
from graphc.frontend.functions.linalg import multi_dot as multi_dot
from graphc.frontend.functions.linalg import vecdot as vecdot
from graphc.frontend.functions.norms import linalg_norm as norm  # noqa: F401 - PyTorch's name
from graphc.frontend.functions.norms import matrix_norm as matrix_norm
from graphc.frontend.functions.norms import vector_norm as vector_norm
from graphc.frontend.functions.products import matmul as matmul
