"""Public face: ``graphc.linalg``."""

from graphc.errors import LinAlgError as LinAlgError
from graphc.frontend.arguments.checks import check_functions as _check_functions
from graphc.frontend.functions.contractions import multi_dot as multi_dot
from graphc.frontend.functions.decompositions import cholesky as cholesky
from graphc.frontend.functions.decompositions import eig as eig
from graphc.frontend.functions.decompositions import eigh as eigh
from graphc.frontend.functions.decompositions import eigvals as eigvals
from graphc.frontend.functions.decompositions import eigvalsh as eigvalsh
from graphc.frontend.functions.decompositions import lu as lu
from graphc.frontend.functions.decompositions import lu_factor as lu_factor
from graphc.frontend.functions.decompositions import lu_solve as lu_solve
from graphc.frontend.functions.decompositions import qr as qr
from graphc.frontend.functions.decompositions import svd as svd
from graphc.frontend.functions.decompositions import svdvals as svdvals
from graphc.frontend.functions.diagonals import last_diagonal as diagonal  # noqa: F401 - PyTorch's name
from graphc.frontend.functions.equations import det as det
from graphc.frontend.functions.equations import inv as inv
from graphc.frontend.functions.equations import lstsq as lstsq
from graphc.frontend.functions.equations import matrix_rank as matrix_rank
from graphc.frontend.functions.equations import pinv as pinv
from graphc.frontend.functions.equations import slogdet as slogdet
from graphc.frontend.functions.equations import solve as solve
from graphc.frontend.functions.equations import solve_triangular as solve_triangular
from graphc.frontend.functions.error_codes import cholesky_ex as cholesky_ex
from graphc.frontend.functions.error_codes import inv_ex as inv_ex
from graphc.frontend.functions.error_codes import lu_factor_ex as lu_factor_ex
from graphc.frontend.functions.error_codes import solve_ex as solve_ex
from graphc.frontend.functions.indefinite import ldl_factor as ldl_factor
from graphc.frontend.functions.indefinite import ldl_factor_ex as ldl_factor_ex
from graphc.frontend.functions.indefinite import ldl_solve as ldl_solve
from graphc.frontend.functions.linalg import cond as cond
from graphc.frontend.functions.linalg import cross as cross
from graphc.frontend.functions.linalg import householder_product as householder_product
from graphc.frontend.functions.linalg import matrix_exp as matrix_exp
from graphc.frontend.functions.linalg import matrix_power as matrix_power
from graphc.frontend.functions.linalg import norm as norm
from graphc.frontend.functions.linalg import tensorinv as tensorinv
from graphc.frontend.functions.linalg import tensorsolve as tensorsolve
from graphc.frontend.functions.linalg import vander as vander
from graphc.frontend.functions.linalg import vecdot as vecdot
from graphc.frontend.functions.norms import matrix_norm as matrix_norm
from graphc.frontend.functions.norms import vector_norm as vector_norm
from graphc.frontend.functions.products import matmul as matmul

_check_functions(globals())
