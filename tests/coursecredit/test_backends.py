"""Dotted paths in settings: loaded, or refused with the setting's name."""

from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured

from coursecredit.backends import load_dotted, load_port

DEFAULTS = {"clock": "datetime.datetime", "number": "decimal.Decimal"}


def number(path: str):
    return load_port("number", configured={"number": path}, defaults=DEFAULTS, setting="SHOP_PORTS")


def test_an_object_is_found_at_its_dotted_path():
    assert load_dotted("decimal.Decimal", setting="SHOP_NUMBER") is Decimal


@pytest.mark.parametrize(
    "path", ["", ".", ".a", ".a.b", "a.", "no_dots", "no.such.module", "decimal.Nothing", None, 7, ["decimal"]]
)
def test_a_path_to_nothing_names_the_setting(path):
    with pytest.raises(ImproperlyConfigured, match="SHOP_NUMBER"):
        load_dotted(path, setting="SHOP_NUMBER")


def test_a_port_without_a_setting_is_played_by_its_default():
    assert load_port("number", configured={}, defaults=DEFAULTS, setting="SHOP_PORTS") == Decimal()


def test_a_port_is_played_by_the_class_that_the_setting_names():
    assert type(number("fractions.Fraction")).__name__ == "Fraction"


def test_every_call_makes_a_new_instance():
    assert number("unittest.mock.Mock") is not number("unittest.mock.Mock")


@pytest.mark.parametrize("path", ["no.such.Class", "decimal.ROUND_UP"], ids=["missing", "not callable"])
def test_a_wrong_port_names_the_setting_and_the_port(path):
    with pytest.raises(ImproperlyConfigured, match=r"SHOP_PORTS\['number'\].*" + path.replace(".", r"\.")):
        number(path)


def test_an_unknown_port_is_refused_before_it_is_needed():
    with pytest.raises(ImproperlyConfigured, match="SHOP_PORTS names no known port: clocks, numbers"):
        load_port("number", configured={"numbers": "x", "clocks": "y"}, defaults=DEFAULTS, setting="SHOP_PORTS")
