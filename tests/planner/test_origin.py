"""Where figures come from: inherited, their own, or laid over."""

from __future__ import annotations

from hardware.quantity import CountFigure, Record
from planner.origin import figures_with_origin, laid_over


class Inner(Record):
    """A part."""

    width: CountFigure
    """Width."""


class Outer(Record):
    """A whole."""

    mark: str = "stated"
    """Mark of all figures."""
    depth: CountFigure
    """Depth."""
    height: CountFigure | None = None
    """Height."""
    inner: Inner | None = None
    """Part."""


WHOLE = Outer.model_validate(
    {"depth": {"value": 3, "mark": "derived", "source": "sum"}, "inner": {"width": 5}}
)


def test_a_figure_without_origin_takes_that_of_the_sheet() -> None:
    found = dict(figures_with_origin(WHOLE, mark="published", source="report", as_of="2026"))
    assert set(found) == {"depth", "inner.width"}
    assert (found["inner.width"].mark, found["inner.width"].source) == ("published", "report")
    assert (found["depth"].mark, found["depth"].source) == ("derived", "sum")
    assert found["depth"].as_of == "2026"


def test_what_is_laid_over_has_its_own_origin_and_the_rest_keeps_its() -> None:
    merged = laid_over(WHOLE, {"depth": 4, "inner": {}}, mark="published", source="report")
    again = dict(figures_with_origin(Outer.model_validate(merged)))
    assert (again["depth"].value, again["depth"].mark, again["depth"].source) == (4, "stated", "")
    assert (again["inner.width"].value, again["inner.width"].source) == (5, "report")


def test_unknown_keys_stay_to_be_refused() -> None:
    merged = laid_over(WHOLE, {"dept": 4, "inner": {"widht": 1}})
    assert merged["dept"] == 4
    assert merged["inner"]["widht"] == 1


def test_a_part_laid_over_with_something_else_is_kept_to_be_refused() -> None:
    assert laid_over(WHOLE, {"inner": 7})["inner"] == 7
