"""Settings: default, environment, scoped override."""

import threading

import pytest

from graphc.config import FLAGS, Flag
from graphc.errors import ArgumentError


def test_environment_then_override(monkeypatch: pytest.MonkeyPatch) -> None:
    flag = Flag("TEST_SETTING", "3", "for this test")
    monkeypatch.delenv("GRAPHC_TEST_SETTING", raising=False)
    assert flag.number() == 3
    monkeypatch.setenv("GRAPHC_TEST_SETTING", "5")
    assert flag.number() == 5
    with flag.override("7"):
        assert flag.number() == 7
        with flag.override("8"):
            assert flag.text() == "8"
        assert flag.text() == "7"
    assert flag.number() == 5


def test_an_override_ends_with_an_error() -> None:
    flag = Flag("TEST_SETTING_2", "a", "for this test")
    with pytest.raises(KeyError), flag.override("b"):
        raise KeyError
    assert flag.text() == "a"


def test_an_override_is_for_one_thread() -> None:
    flag = Flag("TEST_SETTING_3", "a", "for this test")
    seen: list[str] = []
    with flag.override("b"):
        thread = threading.Thread(target=lambda: seen.append(flag.text()))
        thread.start()
        thread.join()
    assert seen == ["a"]


def test_text_that_is_no_number() -> None:
    flag = Flag("TEST_SETTING_4", "high", "for this test")
    with pytest.raises(ArgumentError, match=r"SETTING_4 must be a whole number\n.*'high'"):
        flag.number()


def test_flags_are_distinct_and_documented() -> None:
    assert len({flag.name for flag in FLAGS}) == len(FLAGS)
    assert all(flag.doc for flag in FLAGS)
