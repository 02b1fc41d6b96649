"""Names that a person types: spellings, files, near matches."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.lookup import file_meant, index_by_spelling, spelling, unknown_model


@pytest.mark.parametrize(
    "written", ["A.X-K1", "a.x k1", "AX_K1", "skt/A.X-K1", "  ax-k1 ", "a/b/c/ax.k1"]
)
def test_spellings_of_one_name(written: str) -> None:
    assert spelling(written) == "axk1"


def test_digits_tell_names_apart() -> None:
    assert spelling("A.X-K1") != spelling("A.X-K2")


def test_the_later_of_two_things_has_a_shared_name() -> None:
    index = index_by_spelling([(("one", "shared"), 1), (("two", "Shared"), 2)])
    assert index == {"one": 1, "shared": 2, "two": 2}


def test_a_name_of_the_index_is_no_file_unless_it_has_a_suffix(tmp_path: Path) -> None:
    index = {"ember": 1}
    assert file_meant("ember", index) is None
    assert file_meant("ember.yaml", index) == Path("ember.yaml")
    assert file_meant("nobody", index) is None
    assert file_meant(Path("ember"), index) == Path("ember")


def test_a_directory_means_its_configuration(tmp_path: Path) -> None:
    assert file_meant(str(tmp_path), {}) is None
    (tmp_path / "config.json").write_text("{}")
    assert file_meant(str(tmp_path), {}) == tmp_path / "config.json"


def test_a_file_without_a_suffix(tmp_path: Path) -> None:
    (tmp_path / "sheet").write_text("name: x")
    assert file_meant(str(tmp_path / "sheet"), {}) == tmp_path / "sheet"


def test_an_unknown_name_says_what_it_could_be() -> None:
    fault = unknown_model("lama", ["llama", "gpt"])
    assert fault.found == "lama"
    assert "`llama`" in fault.hint
