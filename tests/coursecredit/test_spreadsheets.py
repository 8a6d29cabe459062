"""Cells that a spreadsheet program does not take for formulas, and that come back as they were."""

import pytest

from coursecredit.spreadsheets import as_written, harmless


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("plain", "plain"),
        ("", ""),
        ("O'Brien", "O'Brien"),
        ("'quoted'", "'quoted'"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
    ],
)
def test_what_looks_like_a_formula_goes_out_guarded_and_comes_back(written, cell):
    assert harmless(written) == cell
    assert as_written(cell) == written


def test_a_formula_that_somebody_typed_comes_in_as_it_is():
    assert as_written("=1+1") == "=1+1"
