"""The words of the text form of graphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from graphc.errors import ParseError

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\r]+ | \#[^\n]*)
  | (?P<line>\n)
  | (?P<value>%(?:{_STRING}|[\w.]+))
  | (?P<reference>@{_STRING})
  | (?P<string>{_STRING})
  | (?P<bits>0x[0-9a-fA-F]+)
  | (?P<real>\d+\.\d*(?:[eE][+-]?\d+)? | \d+[eE][+-]?\d+)
  | (?P<integer>\d+)
  | (?P<word>[^\W\d][\w.]*)
  | (?P<symbol>//|[()\[\]{{}},:=+\-*^<>])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text.

    Args:
        kind: the name of its group in the pattern; ``end`` after the last one.
        text: what stands in the text.
        line: its line, from 1.
    """

    kind: str
    text: str
    line: int

    def __str__(self) -> str:
        return repr(self.text) if self.text else "the end of the text"


def tokens_of(text: str) -> Iterator[Token]:
    """Split text into tokens, without spaces and comments.

    Args:
        text: the text form of a graph.

    Raises:
        ParseError: if a character fits no token.

    Example:
        >>> [token.text for token in tokens_of("%0 = add %x, %y  # sum")]
        ['%0', '=', 'add', '%x', ',', '%y', '']
    """
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ParseError(f"line {line}: unexpected character", got=repr(text[position]))
        position = match.end()
        kind = str(match.lastgroup)
        if kind == "line":
            line += 1
        elif kind != "space":
            yield Token(kind, match.group(), line)
    yield Token("end", "", line)
