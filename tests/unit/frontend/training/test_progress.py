"""The bar shows how far a loop is, and disturbs nothing."""

from __future__ import annotations

import io

import pytest

import graphc as gc
from graphc.training import progress
from graphc.utils.data import DataLoader


def test_the_items_come_through_and_the_bar_shows_them() -> None:
    text = io.StringIO()
    bar = progress(range(4), "steps", file=text, disable=False, mininterval=0)
    assert len(bar) == 4
    found = []
    for item in bar:
        found.append(item)
        bar.show(loss=gc.tensor(0.123456), step=item, name="a")
    assert found == [0, 1, 2, 3]
    last = text.getvalue().rsplit("\r", 1)[-1]
    assert "steps: 100%" in last
    assert "4/4" in last
    assert "loss=0.1235, step=3, name=a" in last


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for item in (bar := progress([1, 2])):
        bar.show(item=item)
    captured = capsys.readouterr()
    assert captured.err + captured.out == ""


def test_loaders_and_generators() -> None:
    loader = DataLoader(gc.arange(5), batch_size=2)
    bar = progress(loader)
    assert (bar.bar.total, len(list(bar))) == (3, 3)
    endless = progress(number for number in range(3))
    assert endless.bar.total is None
    assert list(endless) == [0, 1, 2]
    with pytest.raises(TypeError):
        len(endless)
    assert progress(iter([1]), total=1).bar.total == 1


def test_the_bar_is_closed_on_a_break() -> None:
    text = io.StringIO()
    bar = progress(range(10), file=text, disable=False, mininterval=0, leave=True)
    for item in bar:
        if item == 3:
            break
    del bar, item
    assert "3/10" in text.getvalue()
    assert text.getvalue().endswith("\n")
