"""A diagnostic renders its place, its caret and its remedy."""

import pytest

from hardware.errors import Diagnostic, InputError, UnknownName, Where, near_match


def test_text_of_a_diagnostic():
    where = Where("s.yaml", 6, 5, "jobs[0].gpu", "    gpu: 512")
    text = str(
        Diagnostic("unknown-field", "unknown field `gpu`", where, hint="did you mean `gpus`?")
    )
    assert text == (
        "error[unknown-field]: unknown field `gpu`\n"
        " --> s.yaml:6:5 (jobs[0].gpu)\n"
        "  |\n"
        "6 |     gpu: 512\n"
        "  |     ^\n"
        "  = hint: did you mean `gpus`?"
    )


def test_record_has_null_for_the_unknown():
    record = Diagnostic("x", "m").to_dict()
    assert record["line"] is None
    assert record["hint"] is None
    assert record["code"] == "x"


def test_errors_are_the_builtins_a_caller_expects():
    error = UnknownName(Diagnostic("unknown-device", "no such device `h10`"))
    assert isinstance(error, (InputError, ValueError))
    with pytest.raises(LookupError):
        raise error


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("h100-sxm", ["h100_sxm5_80gb", "a100"], "did you mean `h100_sxm5_80gb`?"),
        ("H100_SXM5_80GB", ["h100_sxm5_80gb"], "did you mean `h100_sxm5_80gb`?"),
        ("zzz", ["h100"], ""),
    ],
)
def test_near_match(name, known, hint):
    assert near_match(name, known) == hint
