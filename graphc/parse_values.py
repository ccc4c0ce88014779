"""The values in the text form of graphs: sizes, types, numbers, arrays, tuples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from graphc.dims import Dim, Shape, Size, floor_divide, smaller
from graphc.dtypes import BOOLEAN, COMPLEX, DTYPES, INTEGER, DType
from graphc.errors import GraphcError, ParseError
from graphc.lexer import Token, tokens_of
from graphc.literal import Literal
from graphc.number_text import nan_of
from graphc.storage import Array
from graphc.types import TensorType, TupleType, Type

_DTYPES = {dtype.short: dtype for dtype in DTYPES}
_SPECIAL = {"inf": float("inf"), "nan": float("nan")}
_NAMED_VALUES = {"true": True, "false": False, "none": None}


class ValueParser:
    """Reads values from tokens; ``graphc.parse`` adds graphs to it.

    Args:
        text: the text form of a graph.
        constants: literals by the digest that stands for them in the text.
    """

    def __init__(self, text: str, constants: Mapping[str, Literal]) -> None:
        self._tokens = list(tokens_of(text))
        self._position = 0
        self._constants = constants

    @property
    def next(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._position]

    @property
    def after_next(self) -> Token:
        """The token after that."""
        return self._tokens[min(self._position + 1, len(self._tokens) - 1)]

    def take(self, expected: str) -> Token:
        """The next token, which must be this text or of this kind."""
        token = self.next
        if expected not in (token.text, token.kind):
            self.fail("unexpected " + str(token), expected=expected)
        self._position += 1
        return token

    def accept(self, text: str) -> bool:
        """Take the next token if it is this text."""
        found = self.next.text == text
        self._position += found
        return found

    def fail(
        self, what: str, *, got: str = "", expected: str = "", fix: str = "", line: int = 0
    ) -> NoReturn:
        """Raise a ParseError that names the line, by default that of the next token."""
        what = f"line {line or self.next.line}: {what}"
        raise ParseError(what, got=got, expected=expected, fix=fix)

    def word(self) -> str:
        """A plain or quoted name."""
        if self.next.kind == "string":
            return self.string()
        return self.take("word").text

    def string(self) -> str:
        """A quoted string."""
        return self.unquote(self.take("string").text)

    def unquote(self, text: str) -> str:
        """The content of a quoted string."""
        try:
            return str(json.loads(text))
        except ValueError:
            self.fail("a string that is not well formed", got=text)

    def result_type(self) -> Type:
        """The type of a node: ``f32[2]`` or ``(f32[2], i64[])``."""
        if self.next.text != "(":
            return self.tensor_type()
        self.take("(")
        items: list[TensorType] = []
        while not self.accept(")"):
            items.append(self.tensor_type())
            if self.next.text != ")":
                self.take(",")
        return TupleType(tuple(items))

    def tensor_type(self) -> TensorType:
        """A type such as ``f32[N,10]``."""
        dtype = self._dtype()
        return TensorType(self._shape(), dtype)

    def _dtype(self) -> DType:
        token = self.next
        if token.text not in _DTYPES:
            self.fail(f"unexpected {token}", expected="a dtype: " + ", ".join(_DTYPES))
        return _DTYPES[self.take("word").text]

    def _shape(self) -> Shape:
        self.take("[")
        sizes: list[Size] = []
        while not self.accept("]"):
            sizes.append(self.size())
            if self.next.text != "]":
                self.take(",")
        return tuple(sizes)

    def size(self) -> Size:
        """A polynomial such as ``2*N^2-N+3``; factors may be ``(N+1)//(2)`` or ``min(N,5)``."""
        total = self._term(-1 if self.accept("-") else 1)
        while self.next.text in ("+", "-"):
            total = total + self._term(1 if self.take("symbol").text == "+" else -1)
        return total

    def _term(self, sign: int) -> Size:
        product = sign * self._power()
        while self.accept("*"):
            product = product * self._power()
        return product

    def _power(self) -> Size:
        base = self._atom()
        power = int(self.take("integer").text) if self.accept("^") else 1
        product: Size = 1
        for _ in range(power):
            product = product * base
        return product

    def _atom(self) -> Size:
        if self.next.kind == "integer":
            return int(self.take("integer").text)
        if self.next.kind == "word":
            name = self.take("word").text
            if name == "min" and self.next.text == "(":
                return self._minimum()
            return Dim.named(name) if name.isidentifier() else self.fail(f"bad size {name!r}")
        numerator = self._in_parentheses()
        if not self.accept("//"):
            return numerator
        denominator = self._in_parentheses()
        try:
            return floor_divide(numerator, denominator)
        except GraphcError as error:
            self.fail(error.what, got=error.got)

    def _minimum(self) -> Size:
        self.take("(")
        left = self.size()
        self.take(",")
        right = self.size()
        self.take(")")
        return smaller(left, right)

    def _in_parentheses(self) -> Size:
        self.take("(")
        size = self.size()
        self.take(")")
        return size

    def value(self) -> Any:
        """The value of an attribute."""
        token = self.next
        if token.text in _DTYPES:
            return self._dtype_type_or_literal()
        if token.text in _NAMED_VALUES:
            return _NAMED_VALUES[self.take("word").text]
        if token.text == "dim":
            self.take("dim")
            return self._in_parentheses()
        if token.text == "[":
            return self._shape()
        if token.text == "(":
            return self._tuple()
        if token.kind == "string":
            return self.string()
        if token.text == "<":
            self.fail("this value has no text form, so the graph cannot be read back")
        return self._number()

    def _tuple(self) -> tuple[Any, ...]:
        self.take("(")
        items = []
        while not self.accept(")"):
            items.append(self.value())
            if self.next.text != ")":
                self.take(",")
        return tuple(items)

    def _number(self) -> int | float:
        sign = -1 if self.accept("-") else 1
        token = self.next
        if token.kind == "integer":
            return sign * int(self.take("integer").text)
        if token.kind == "real":
            return sign * float(self.take("real").text)
        if token.text in _SPECIAL:
            return sign * _SPECIAL[self.take("word").text]
        self.fail(f"unexpected {token}", expected="a value")

    def _dtype_type_or_literal(self) -> DType | TensorType | Literal:
        dtype = self._dtype()
        if self.next.text != "[":
            return dtype
        type = TensorType(self._shape(), dtype)
        return self._literal(type) if self.accept("{") else type

    def _literal(self, type: TensorType) -> Literal:
        if self.next.kind == "reference":
            literal = self._constant(self.unquote(self.next.text[1:]), type)
            self.take("reference")
            self.take("}")
            return literal
        if not type.is_static:
            self.fail("a literal needs a fixed shape", got=str(type))
        elements: list[bytes] = []
        while not self.accept("}"):
            elements.append(self._element(type.dtype))
            if self.next.text != "}":
                self.take(",")
        if len(elements) != type.numel:
            self.fail(f"{type} has {type.numel} elements", got=str(len(elements)))
        array = np.frombuffer(b"".join(elements), type.dtype.numpy)
        return Literal(array.reshape(type.static_shape))

    def _constant(self, digest: str, type: TensorType) -> Literal:
        literal = self._constants.get(digest)
        if literal is None:
            self.fail(
                f"the content of constant {digest} is not in the text",
                fix="pass it: parse_graph(text, constants=constants_of(graph))",
            )
        if literal.type != type:
            self.fail(f"constant {digest} has another type", got=str(literal.type))
        return literal

    def _element(self, dtype: DType) -> bytes:
        if dtype.category == COMPLEX:
            part = np.dtype(f"f{dtype.itemsize // 2}")
            self.take("(")
            real = self._real(part)
            self.take(",")
            imaginary = self._real(part)
            self.take(")")
            return real + imaginary
        if dtype.category == BOOLEAN:
            if self.next.text not in ("true", "false"):
                self.fail(f"unexpected {self.next}", expected="true or false")
            return np.asarray(self.take("word").text == "true").tobytes()
        if dtype.category == INTEGER:
            return self._integer(dtype)
        return self._real(dtype.numpy)

    def _integer(self, dtype: DType) -> bytes:
        value = self._number()
        limits = np.iinfo(dtype.numpy)
        if not isinstance(value, int) or not limits.min <= value <= limits.max:
            self.fail(f"{value} is no {dtype.name}", expected=f"{limits.min}..{limits.max}")
        return np.asarray(value, dtype.numpy).tobytes()

    def _real(self, dtype: np.dtype[Any]) -> bytes:
        value = self._number()
        if value != value and self.accept("("):
            return self._nan(dtype).tobytes()
        with np.errstate(over="ignore"):
            return np.asarray(float(value)).astype(dtype).tobytes()

    def _nan(self, dtype: np.dtype[Any]) -> Array:
        bits = int(self.take("bits").text, 16)
        self.take(")")
        try:
            return nan_of(bits, dtype)
        except OverflowError:
            self.fail(f"0x{bits:x} has more bits than {dtype}")
