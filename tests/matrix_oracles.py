"""What decompositions and solvers should give, by mpmath with 40 digits.

Where a decomposition is unique but for signs, numpy's signs are taken over.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from mpmath import mp

from tests import symmetric_oracles as symmetric

Array = npt.NDArray[Any]
Oracle = Callable[..., Array]


def _exact(array: Array) -> Any:
    return mp.matrix([[_number(value) for value in row] for row in array])


def _number(value: Any) -> Any:
    return mp.mpc(complex(value)) if np.iscomplexobj(value) else mp.mpf(float(value))


def _rounded(matrix: Any, rows: int, columns: int) -> Array:
    values = [[_python(matrix[i, j]) for j in range(columns)] for i in range(rows)]
    return np.array(values).reshape(rows, columns)


def _python(value: Any) -> Any:
    return complex(value) if isinstance(value, mp.mpc) else float(value)


def _mirrored(a: Array) -> Array:
    """The Hermitian matrix of a lower triangle."""
    return np.asarray(np.tril(a) + np.conj(np.tril(a, -1).T))


def of_matrices(
    function: Callable[..., Array], result: Callable[[Any], Any] = lambda t: t
) -> Oracle:
    """Apply a function of float64 matrices to every one of a batch, one by one."""

    def oracle(*stacks: Array, **attrs: Any) -> Array:
        batch = np.broadcast_shapes(*(x.shape[:-2] for x in stacks))
        kind = np.complex128 if stacks[0].dtype.kind == "c" else np.float64
        wide = [np.broadcast_to(x, (*batch, *x.shape[-2:])).astype(kind) for x in stacks]
        with mp.workdps(40):
            made = [function(*(x[place] for x in wide), **attrs) for place in np.ndindex(*batch)]
            like = function(
                *((np.ones(x.shape[-2:]) + np.eye(*x.shape[-2:])).astype(kind) for x in stacks),
                **attrs,
            )
        dtype = result(stacks[0].dtype)
        return np.array(made).reshape((*batch, *np.shape(like))).astype(dtype)

    return oracle


def _inverse(a: Array) -> Array:
    return _rounded(mp.inverse(_exact(a)), *a.shape) if a.size else a


def _solve(a: Array, b: Array) -> Array:
    if not b.size:
        return np.zeros(b.shape)
    return _rounded(mp.inverse(_exact(a)) * _exact(b), *b.shape)


def _triangular(a: Array, b: Array, *, upper: bool, unitriangular: bool) -> Array:
    rows = range(len(a))
    kept = [[a[i, j] if (i <= j if upper else i >= j) else 0.0 for j in rows] for i in rows]
    for i in rows:
        kept[i][i] = 1.0 if unitriangular else kept[i][i]
    return _solve(np.array(kept).reshape(a.shape), b)


def _cholesky(a: Array) -> Array:
    return _rounded(mp.cholesky(_exact(_mirrored(a))), *a.shape) if a.size else a


def _cholesky_ex(a: Array) -> Array:
    return np.array([*_cholesky(a).ravel(), 0])


def _ldl_solve(*stacks: Array, hermitian: bool) -> Array:
    """No matrix of ones stands for the shape here: it would have no inverse."""
    batch = np.broadcast_shapes(*(x.shape[:-2] for x in stacks))
    factors, pivots, right = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in stacks)
    solution = np.zeros(right.shape, stacks[0].dtype)
    with mp.workdps(40):
        for place in np.ndindex(*batch):
            operands = factors[place], pivots[place], right[place]
            solution[place] = symmetric.ldl_solve(*operands, hermitian=hermitian)
    return solution


def _lu(a: Array) -> Array:
    """Gaussian elimination that takes the largest of each column."""
    rows, columns = a.shape
    work = [[_number(value) for value in row] for row in a]
    order, pivots = list(range(rows)), []
    for step in range(min(rows, columns)):
        best = max(range(step, rows), key=lambda row: _size(work[row][step]))
        pivots.append(best + 1)
        work[step], work[best] = work[best], work[step]
        order[step], order[best] = order[best], order[step]
        for row in range(step + 1, rows):
            work[row][step] /= work[step][step]
            for column in range(step + 1, columns):
                work[row][column] -= work[row][step] * work[step][column]
    return np.array([*(_python(v) for row in work for v in row), *pivots, *order])


def _size(value: Any) -> Any:
    """How LAPACK compares numbers to find the largest."""
    return abs(value.real) + abs(value.imag)


def _row_order(pivots: Array, *, rows: int) -> Array:
    result = np.empty((*pivots.shape[:-1], rows), np.int64)
    for place in np.ndindex(*pivots.shape[:-1]):
        order = list(range(rows))
        for step, other in enumerate(pivots[place].tolist()):
            order[step], order[other - 1] = order[other - 1], order[step]
        result[place] = order
    return result


def _det(a: Array) -> Any:
    return a.dtype.type(_python(mp.det(_exact(a)))) if a.size else a.dtype.type(1)


def _cofactors(a: Array) -> Array:
    def minor(i: int, j: int) -> Any:
        rest = np.delete(np.delete(a, i, 0), j, 1)
        return (-1) ** (i + j) * _det(rest)

    return np.array([[minor(i, j) for j in range(len(a))] for i in range(len(a))]).reshape(a.shape)


def _cofactor_slopes(a: Array, g: Array) -> Array:
    """Signed determinants of what is left without two rows and two columns."""

    def slope(i: int, j: int) -> Any:
        total = a.dtype.type(0)
        for k, m in np.ndindex(*a.shape):
            if k != i and m != j:
                rest = np.delete(np.delete(a, (i, k), 0), (j, m), 1)
                sign = (-1) ** (i + j + k + m) * (1 if (k > i) == (m > j) else -1)
                total += sign * g[k, m] * _det(rest)
        return total

    size = range(len(a))
    return np.array([[slope(i, j) for j in size] for i in size], a.dtype).reshape(a.shape)


def _slogdet(a: Array) -> Array:
    value = mp.det(_exact(a)) if a.size else mp.mpf(1)
    return np.array([_python(mp.sign(value)), float(mp.log(abs(value)))])


def _signs(exact: Array, numpys: Array) -> Array:
    """1 or -1 per column, or a phase, such that the columns point where numpy's do."""
    products = (np.conj(exact) * numpys).sum(0)
    return np.asarray(products / np.abs(products))


def _eigh(a: Array, *, lower: bool) -> Array:
    mirrored = _mirrored(a) if lower else _mirrored(np.conj(a.T))
    if not a.size:
        return np.zeros(0)
    values, vectors = (mp.eighe if a.dtype.kind == "c" else mp.eigsy)(_exact(mirrored))
    exact = _rounded(vectors, *a.shape)
    exact = exact * _signs(exact, np.linalg.eigh(mirrored, "L" if lower else "U")[1])
    return np.array([*(float(v) for v in values), *exact.reshape(-1)])


def _eigvalsh(a: Array, *, lower: bool) -> Array:
    return np.asarray(_eigh(a, lower=lower)[: len(a)].real)


def _eig(a: Array) -> Array:
    """Of Hermitian matrices, in numpy's order."""
    both = _eigh(a, lower=True)
    values, vectors = both[: len(a)], both[len(a) :].reshape(a.shape)
    if not a.size:
        return both
    theirs = np.linalg.eig(a)
    order = np.argsort(np.argsort(theirs[0]))
    vectors = vectors[:, order]
    return np.concatenate([values[order], (vectors * _signs(vectors, theirs[1])).reshape(-1)])


def _qr(a: Array, *, complete: bool) -> Array:
    """Gram and Schmidt's."""
    rows, columns = a.shape
    if not a.size:
        return np.zeros(rows * columns + columns * columns)
    exact = _exact(a)
    q, r = mp.matrix(rows, columns), mp.matrix(columns, columns)
    for j in range(columns):
        rest = exact[:, j]
        for i in range(j):
            r[i, j] = (q[:, i].H * exact[:, j])[0]
            rest = rest - q[:, i] * r[i, j]
        r[j, j] = mp.norm(rest)
        q[:, j] = rest / r[j, j]
    left, right = _rounded(q, rows, columns), _rounded(r, columns, columns)
    signs = _signs(left, np.linalg.qr(a)[0])
    return np.concatenate(
        [(left * signs).reshape(-1), (right * np.conj(signs)[:, None]).reshape(-1)]
    )


def _svd(a: Array, *, full: bool) -> Array:
    """The reduced one; other vectors than these are arbitrary, and are numpy's."""
    rows, columns = a.shape
    side = min(rows, columns)
    theirs_u, _, theirs_v = np.linalg.svd(a, full)
    if not a.size:
        return np.concatenate([theirs_u.reshape(-1), theirs_v.reshape(-1)])
    u, s, v = (mp.svd_c if a.dtype.kind == "c" else mp.svd_r)(_exact(a))
    left, right = _rounded(u, rows, side), _rounded(v, side, columns)
    signs = _signs(left, theirs_u[:, :side])
    left = np.concatenate([left * signs, theirs_u[:, side:]], 1)
    right = np.concatenate([right * np.conj(signs)[:, None], theirs_v[side:]])
    return np.array([*left.reshape(-1), *(float(v) for v in s), *right.reshape(-1)])


def _svdvals(a: Array) -> Array:
    if not a.size:
        return np.zeros(0)
    singular = (mp.svd_c if a.dtype.kind == "c" else mp.svd_r)(_exact(a), compute_uv=False)
    return np.array([float(v) for v in singular])


def _pinv(a: Array, *, atol: float = 0.0, rtol: float = 0.0) -> Array:
    """Of full rank: ``(A* A)^-1 A*``."""
    rows, columns = a.shape
    if not a.size:
        return a.T
    exact = _exact(a)
    if rows >= columns:
        return _rounded(mp.inverse(exact.H * exact) * exact.H, columns, rows)
    return _rounded(exact.H * mp.inverse(exact * exact.H), columns, rows)


def _lstsq(a: Array, b: Array, *, rtol: float) -> Array:
    if not a.size or not b.size:
        return np.zeros((a.shape[1], b.shape[1]))
    return _rounded(_exact(_pinv(a)) * _exact(b), a.shape[1], b.shape[1])


def _matrix_exp(a: Array) -> Array:
    """The series, after halving; then squared as often."""
    if not a.size:
        return a
    scaled = _exact(a) / 2**6
    term = total = mp.eye(len(a))
    for power in range(1, 25):
        term = term * scaled / power
        total = total + term
    for _ in range(6):
        total = total * total
    return _rounded(total, *a.shape)


def _complex(dtype: Any) -> Any:
    return np.result_type(dtype, np.complex64)


def _part(dtype: Any) -> Any:
    return np.zeros(0, dtype).real.dtype


MATRIX_ORACLES: dict[str, Oracle] = {
    "solve": of_matrices(_solve),
    "solve_triangular": of_matrices(_triangular),
    "inv": of_matrices(_inverse),
    "cholesky": of_matrices(_cholesky),
    "cholesky_ex": of_matrices(_cholesky_ex),
    "ldl": of_matrices(symmetric.ldl),
    "ldl_solve": _ldl_solve,
    "lu": of_matrices(_lu),
    "row_order": _row_order,
    "det": of_matrices(_det),
    "cofactors": of_matrices(_cofactors),
    "cofactor_slopes": of_matrices(_cofactor_slopes),
    "slogdet": of_matrices(_slogdet),
    "eigh": of_matrices(_eigh),
    "eigvalsh": of_matrices(_eigvalsh, _part),
    "eig": of_matrices(_eig, _complex),
    "qr": of_matrices(_qr),
    "svd": of_matrices(_svd),
    "svdvals": of_matrices(_svdvals, _part),
    "pinv": of_matrices(_pinv),
    "lstsq": of_matrices(_lstsq),
    "matrix_exp": of_matrices(_matrix_exp),
}
