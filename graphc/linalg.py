"""Public face: ``graphc.linalg``."""

from graphc.frontend.functions.linalg import matrix_power as matrix_power
from graphc.frontend.functions.linalg import multi_dot as multi_dot
from graphc.frontend.functions.linalg import vecdot as vecdot
from graphc.frontend.functions.linalg import vector_norm as vector_norm
from graphc.frontend.functions.products import matmul as matmul
