"""The golden fixture itself, and that no golden file outlives its test."""

from pathlib import Path

import pytest

from tests.goldens import FOLDER, Golden


def checker(folder: Path, *, update: bool = False, test: str = "test_it[f32-(2, 3)]") -> Golden:
    return Golden(Path("unit/test_module"), test, update, folder)


def test_a_missing_file_fails_and_shows_the_text(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"(?s)no golden file.*%0 = exp"):
        checker(tmp_path)("%0 = exp")
    assert not list(tmp_path.iterdir())


def test_update_writes_what_later_runs_compare_with(tmp_path: Path) -> None:
    checker(tmp_path, update=True)("%0 = exp\n")
    assert checker(tmp_path).path().read_text() == "%0 = exp\n"
    checker(tmp_path)("%0 = exp")
    with pytest.raises(pytest.fail.Exception, match=r"(?s)-%0 = exp.*\+%0 = log"):
        checker(tmp_path)("%0 = log")


def test_names_and_parameters_give_different_files(tmp_path: Path) -> None:
    one, other = checker(tmp_path), checker(tmp_path, test="test_it[f32-(2, 4)]")
    assert len({one.path(), one.path("fused"), other.path(), other.path("fused")}) == 4


def test_the_fixture_knows_its_test(golden: Golden) -> None:
    assert golden.path() == FOLDER / "test_goldens" / "test_the_fixture_knows_its_test.txt"


def test_every_golden_file_belongs_to_a_test() -> None:
    for path in FOLDER.rglob("*.txt"):
        module = FOLDER.parent / path.parent.relative_to(FOLDER).with_suffix(".py")
        assert module.exists(), f"{path} has no test module"
        function = path.stem.split(".")[0]
        names = [line for line in module.read_text().splitlines() if "def test_" in line]
        known = [name.split("def ")[1].split("(")[0] for name in names]
        assert any(function == name or function.startswith(f"{name}_") for name in known), (
            f"{path} has no test function"
        )
