"""What an Open edX service gets to know of our own events (events contract 9).

The reference's package is not installed here, so a few lines stand in for it; `make interop` uses the real one.
"""

import importlib
import pickle
import sys
from datetime import datetime
from types import ModuleType

import attrs
import pytest

from tests.events.records import EXAMPLES, OWN, class_named

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough


@attrs.frozen(slots=False)
class UserNonPersonalData:
    id: int
    is_active: bool


@attrs.frozen(slots=False)
class CourseData:
    course_key: str


class StockSignal:
    def __init__(self, event_type, data, minor_version=0):
        self.event_type, self.init_data, self.minor_version = event_type, data, minor_version


@pytest.fixture
def openedx(monkeypatch):
    """Import the module where the reference's package seems to be installed."""
    package, learning = ModuleType("openedx_events"), ModuleType("openedx_events.learning")
    data, tooling = ModuleType("openedx_events.learning.data"), ModuleType("openedx_events.tooling")
    data.CourseData, data.UserNonPersonalData = CourseData, UserNonPersonalData
    tooling.OpenEdxPublicSignal = StockSignal
    for module in (package, learning, data, tooling):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "events.contrib.openedx", raising=False)
    yield importlib.import_module("events.contrib.openedx")
    del sys.modules["events.contrib.openedx"]


@pytest.mark.parametrize("described", OWN["signals"], ids=lambda described: described["variable"])
def test_every_own_type_has_a_signal_of_the_reference(openedx, described):
    signal = getattr(openedx, described["variable"])
    assert isinstance(signal, StockSignal)
    assert signal.event_type == f"org.coursecredit.{described['type_suffix']}"
    assert signal.minor_version == described["minor_version"]
    assert signal.init_data == {name: getattr(openedx, cls) for name, cls in described["init_data"].items()}


@pytest.mark.parametrize("name", OWN["classes"])
def test_every_own_class_is_the_same_on_the_references_classes(openedx, name):
    theirs, ours = getattr(openedx, name), class_named(name)
    assert theirs is not ours
    assert (theirs.__name__, theirs.__doc__) == (name, ours.__doc__)
    assert [(field.name, field.default) for field in attrs.fields(theirs)] == [
        (field.name, field.default) for field in attrs.fields(ours)
    ]
    known = {class_named("CourseData"): CourseData, class_named("UserNonPersonalData"): UserNonPersonalData}
    known |= {class_named(own): getattr(openedx, own) for own in OWN["classes"]}
    assert [field.type for field in attrs.fields(theirs)] == [
        known.get(field.type, field.type) for field in attrs.fields(ours)
    ]


def test_objects_are_values(openedx):
    course, user = CourseData("course-v1:Org+C101+2024"), UserNonPersonalData(7, True)
    moment = EXAMPLES[datetime]
    eligibility = openedx.CreditEligibilityData(user, course, moment, moment)
    assert eligibility.provider_ids == []
    assert pickle.loads(pickle.dumps(eligibility)) == eligibility
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        eligibility.deadline = None


def test_nothing_of_the_app_imports_it():
    assert "events.contrib.openedx" not in sys.modules
