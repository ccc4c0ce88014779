"""Named unknown sizes and their arithmetic.

A dim is an ``int`` or a ``Dim``: an integer polynomial over atoms, where an atom is a name, the
floored quotient of two polynomials, or the smaller one of two. Polynomials have one canonical form,
so equal expressions are equal objects by ``==`` and hash, e.g. ``(n + 1) * 2 == 2 * n + 2``.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from graphc.errors import ArgumentError, ShapeError
from graphc.provenance import user_location_text

Size = Union[int, "Dim"]
Shape = tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """The floor of ``numerator / denominator``, where it has no simpler form."""

    numerator: Dim
    denominator: Dim

    def __str__(self) -> str:
        return f"({self.numerator})//({self.denominator})"


@dataclass(frozen=True, slots=True)
class Minimum:
    """The smaller one of two sizes, where it is not known which."""

    left: Dim
    right: Dim

    def __str__(self) -> str:
        return f"min({self.left},{self.right})"


Atom = str | Quotient | Minimum
Monomial = tuple[tuple[Atom, int], ...]  # ((atom, power), ...) in a fixed order
Terms = tuple[tuple[Monomial, int], ...]  # ((monomial, coefficient), ...) in a fixed order


@dataclass(frozen=True, slots=True)
class Dim:
    """A size that is known only at run time.

    Args:
        terms: the polynomial's terms; use ``Dim.named`` to make a new unknown.

    Example:
        >>> n = Dim.named("N")
        >>> (n + 2) * 4 - 8, (n * 6) // 3
        (4*N, 2*N)
    """

    terms: Terms

    @staticmethod
    def named(name: str) -> Dim:
        """The unknown with this name."""
        if not name.isidentifier():
            raise ArgumentError("a dim's name must be an identifier", got=repr(name))
        return Dim(((((name, 1),), 1),))

    @property
    def names(self) -> frozenset[str]:
        """The names of all unknowns in this expression."""
        found: set[str] = set()
        for monomial, _ in self.terms:
            for atom, _ in monomial:
                if isinstance(atom, str):
                    found.add(atom)
                elif isinstance(atom, Quotient):
                    found |= atom.numerator.names | atom.denominator.names
                else:
                    found |= atom.left.names | atom.right.names
        return frozenset(found)

    def bind(self, sizes: Mapping[str, int]) -> Size:
        """Replace the unknowns that ``sizes`` names by their values."""
        total: Size = 0
        for monomial, coefficient in self.terms:
            product: Size = coefficient
            for atom, power in monomial:
                factor: Size
                if isinstance(atom, str):
                    factor = sizes[atom] if atom in sizes else Dim.named(atom)
                elif isinstance(atom, Quotient):
                    factor = floor_divide(atom.numerator.bind(sizes), atom.denominator.bind(sizes))
                else:
                    factor = smaller(atom.left.bind(sizes), atom.right.bind(sizes))
                for _ in range(power):
                    product = product * factor
            total = total + product
        return total

    def __add__(self, other: Size) -> Size:
        if not isinstance(other, int | Dim):
            return NotImplemented
        sums = dict(self.terms)
        for monomial, coefficient in _terms(other):
            sums[monomial] = sums.get(monomial, 0) + coefficient
        return _canonical(sums)

    def __mul__(self, other: Size) -> Size:
        if not isinstance(other, int | Dim):
            return NotImplemented
        products: dict[Monomial, int] = {}
        for (left, a), (right, b) in itertools.product(self.terms, _terms(other)):
            powers = dict(left)
            for atom, power in right:
                powers[atom] = powers.get(atom, 0) + power
            monomial = tuple(sorted(powers.items(), key=_atom_order))
            products[monomial] = products.get(monomial, 0) + a * b
        return _canonical(products)

    def __neg__(self) -> Size:
        return self * -1

    def __sub__(self, other: Size) -> Size:
        return self + -other

    def __rsub__(self, other: Size) -> Size:
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        return floor_divide(self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        return floor_divide(other, self)

    def __mod__(self, other: Size) -> Size:
        return self - floor_divide(self, other) * other

    def __bool__(self) -> bool:
        raise self._unknown("bool")

    def __index__(self) -> int:
        raise self._unknown("int")

    __int__ = __index__

    def __lt__(self, other: Size) -> bool:
        return self._is_less(self, other)

    def __gt__(self, other: Size) -> bool:
        return self._is_less(other, self)

    def __le__(self, other: Size) -> bool:
        return not self._is_less(other, self)

    def __ge__(self, other: Size) -> bool:
        return not self._is_less(self, other)

    def _is_less(self, left: Size, right: Size) -> bool:
        """Whether ``left < right`` for all values of the unknowns, or for none."""
        if _is_never_negative(right - left - 1):
            return True
        if _is_never_negative(left - right):
            return False
        raise ShapeError(
            f"which of the sizes {left} and {right} is larger is known only at run time",
            fix="give the placeholder a fixed size; a program cannot branch on sizes",
            where=user_location_text(),
        )

    def _unknown(self, wanted: str) -> ShapeError:
        return ShapeError(
            f"the size {self} is known only at run time, so it has no {wanted} value",
            fix="give the placeholder a fixed size, or compute with the size itself "
            "(+ - * // and reshape accept it)",
            where=user_location_text(),
        )

    def __str__(self) -> str:
        return "+".join(_term_text(*term) for term in self.terms).replace("+-", "-")

    __repr__ = __str__


def _terms(size: Size) -> Terms:
    if isinstance(size, Dim):
        return size.terms
    return (((), size),) if size else ()


def _atom_order(item: tuple[Atom, int]) -> tuple[str, int]:
    return str(item[0]), item[1]


def _monomial_order(item: tuple[Monomial, int]) -> tuple[int, str]:
    monomial = item[0]
    return -sum(power for _, power in monomial), str(monomial)


def _canonical(sums: Mapping[Monomial, int]) -> Size:
    terms = tuple(sorted(((m, c) for m, c in sums.items() if c), key=_monomial_order))
    if not terms:
        return 0
    return terms[0][1] if len(terms) == 1 and not terms[0][0] else Dim(terms)


def _term_text(monomial: Monomial, coefficient: int) -> str:
    factors = [str(atom) if power == 1 else f"{atom}^{power}" for atom, power in monomial]
    if not factors:
        return str(coefficient)
    if coefficient == -1:
        return "-" + "*".join(factors)
    return "*".join(factors if coefficient == 1 else [str(coefficient), *factors])


def floor_divide(numerator: Size, denominator: Size) -> Size:
    """The floored quotient; exact polynomial division where it leaves no remainder.

    Example:
        >>> n = Dim.named("N")
        >>> floor_divide(n * 784, 28), floor_divide(n + 1, 2)
        (28*N, (N+1)//(2))
    """
    if isinstance(numerator, int) and isinstance(denominator, int):
        if denominator == 0:
            raise ShapeError("a size was divided by zero", got=f"{numerator} // 0")
        return numerator // denominator
    if isinstance(denominator, int) and denominator == 1:
        return numerator
    exact = _divide_exactly(numerator, denominator)
    if exact is not None:
        return exact
    quotient = Quotient(_as_dim(numerator), _as_dim(denominator))
    return Dim(((((quotient, 1),), 1),))


def _as_dim(size: Size) -> Dim:
    return size if isinstance(size, Dim) else Dim(_terms(size))


_DIVISION_STEPS = 64
"""Polynomials of sizes are short; one that takes more steps stays a quotient."""


def _divide_exactly(numerator: Size, denominator: Size) -> Size | None:
    """Polynomial long division by the leading term; None if a remainder is left."""
    divisor = _terms(denominator)
    if not divisor:
        raise ShapeError("a size was divided by zero", got=f"{numerator} // {denominator}")
    lead_monomial, lead_coefficient = divisor[0]
    quotient: Size = 0
    rest = numerator
    for _ in range(_DIVISION_STEPS):
        terms = _terms(rest)
        if not terms:
            return quotient
        monomial, coefficient = terms[0]
        powers = dict(monomial)
        for atom, power in lead_monomial:
            powers[atom] = powers.get(atom, 0) - power
        if coefficient % lead_coefficient or any(power < 0 for power in powers.values()):
            return None
        left = tuple(sorted(((a, p) for a, p in powers.items() if p), key=_atom_order))
        step = _canonical({left: coefficient // lead_coefficient})
        quotient = quotient + step
        rest = rest - step * denominator
    return None


def smaller(left: Size, right: Size) -> Size:
    """The smaller one of two sizes.

    Example:
        >>> n = Dim.named("N")
        >>> smaller(n, n + 2), smaller(n + 3, 5), smaller(n, 0)
        (N, min(2,N)+3, 0)
    """
    if _is_never_negative(right - left):
        return left
    if _is_never_negative(left - right):
        return right
    if isinstance(left, int) and isinstance(right, int):
        return min(left, right)
    common = min(_constant(left), _constant(right))
    ordered = sorted((_as_dim(left - common), _as_dim(right - common)), key=str)
    return Dim(((((Minimum(*ordered), 1),), 1),)) + common


def larger(left: Size, right: Size) -> Size:
    """The larger one of two sizes.

    Example:
        >>> n = Dim.named("N")
        >>> larger(n, 0), larger(n - 2, 0)
        (N, N-min(2,N))
    """
    return left + right - smaller(left, right)


def _constant(size: Size) -> int:
    """The term without unknowns."""
    return dict(_terms(size)).get((), 0)


def _is_never_negative(size: Size) -> bool:
    """Whether this is at least 0 for all values of the unknowns, as far as its signs tell."""

    def is_plain(atom: Atom) -> bool:
        if isinstance(atom, Minimum):
            return _is_never_negative(atom.left) and _is_never_negative(atom.right)
        return isinstance(atom, str)

    return all(
        coefficient >= 0 and all(is_plain(atom) for atom, _ in monomial)
        for monomial, coefficient in _terms(size)
    )
