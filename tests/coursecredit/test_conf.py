"""Settings: read at use, with defaults, refused by name."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from coursecredit.conf import AppSettings


class LibrarySettings(AppSettings):
    prefix = "LIBRARY_"

    @property
    def SHELF(self) -> str:
        return self._get("SHELF", "A")

    @property
    def PLATFORM_NAME(self) -> str:
        return self._get_site("PLATFORM_NAME", "Library")

    @property
    def LOAN(self) -> timedelta:
        return self._duration("LIBRARY_LOAN_DAYS", 14, unit=timedelta(days=1))


conf = LibrarySettings()


def test_defaults_work_out_of_the_box():
    assert (conf.SHELF, conf.PLATFORM_NAME, conf.LOAN) == ("A", "Library", timedelta(days=14))


def test_settings_are_read_when_they_are_used(settings):
    settings.LIBRARY_SHELF = "B"
    settings.PLATFORM_NAME = "Reading room"
    assert (conf.SHELF, conf.PLATFORM_NAME) == ("B", "Reading room")


def test_an_empty_setting_is_not_an_unset_one(settings):
    settings.LIBRARY_SHELF = ""
    assert conf.SHELF == ""


@pytest.mark.parametrize(("days", "loan"), [(0, timedelta()), (0.5, timedelta(hours=12)), (365, timedelta(days=365))])
def test_a_duration_has_its_published_unit(settings, days, loan):
    settings.LIBRARY_LOAN_DAYS = days
    assert conf.LOAN == loan


@pytest.mark.parametrize("days", [-1, "14", None, True, float("nan"), float("inf"), 10**30, [14]])
def test_a_wrong_duration_is_refused_by_name(settings, days):
    settings.LIBRARY_LOAN_DAYS = days
    with pytest.raises(ImproperlyConfigured, match="LIBRARY_LOAN_DAYS"):
        _ = conf.LOAN
