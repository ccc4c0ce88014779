"""Text for people."""

import pytest

from graphc.errors import ArgumentError
from graphc.runtime.reporting.tables import bytes_text, table
from graphc.runtime.sessions.structure import fill, leaves, require_known


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB"), (5 << 30, "5.0 GiB")],
)
def test_bytes_are_written_for_people(count: int, text: str) -> None:
    assert bytes_text(count) == text


def test_numbers_stand_to_the_right() -> None:
    assert table([("a", 1), ("long", 100)], ("x", "n")).splitlines() == [
        "x       n",
        "a       1",
        "long  100",
    ]
    assert table([], ("x", "n")) == "x  n"


def test_structures_are_walked_in_order() -> None:
    structure = {"k": ["a", None, ("b",)], "l": "a"}
    assert list(leaves(structure)) == ["a", "b", "a"]
    assert fill(structure, {"a": 1, "b": 2}) == {"k": [1, None, (2,)], "l": 1}
    with pytest.raises(ArgumentError, match="no output 'b'"):
        require_known(structure, {"a": 1})
