"""What a signal is, and that there is one per event type (events contract 6, 6.4)."""

import importlib
import sys

import pytest

from events.exceptions import InstantiationError
from events.learning import signals as learning_signals
from events.learning.signals import COURSE_ENROLLMENT_CREATED
from events.tooling import RESERVED, OpenEdxPublicSignal, load_all_signals
from tests.events.parcels import Crate, Parcel

TYPE = "org.example.parcel.lost.v1"


def test_signal_knows_its_type_its_arguments_and_its_minor_version():
    signal = OpenEdxPublicSignal(TYPE, {"parcel": Parcel}, minor_version=2)
    assert (signal.event_type, signal.init_data, signal.minor_version) == (TYPE, {"parcel": Parcel}, 2)


def test_minor_version_starts_at_zero():
    assert OpenEdxPublicSignal(event_type=TYPE, data={"parcel": Parcel}).minor_version == 0


def test_signal_shows_its_type(parcel_sent):
    assert repr(parcel_sent) == "<OpenEdxPublicSignal: org.example.parcel.sent.v1>"


@pytest.mark.parametrize(
    ("event_type", "data", "defaults", "why"),
    [
        pytest.param("", {"parcel": Parcel}, None, "event_type", id="no type"),
        pytest.param(None, {"parcel": Parcel}, None, "event_type", id="None for a type"),
        pytest.param(TYPE, {}, None, "data", id="no arguments"),
        pytest.param(TYPE, None, None, "data", id="None for arguments"),
        pytest.param(TYPE, {"a": Parcel, "b": Parcel}, {"a": Parcel("")}, "last", id="default before a required one"),
        pytest.param(TYPE, {"parcel": Parcel}, {"crate": Parcel("")}, "last", id="default of an unknown argument"),
        pytest.param(TYPE, {"parcel": Parcel}, {"parcel": "text"}, "parcel", id="default of another class"),
        *(pytest.param(TYPE, {name: Parcel}, None, name, id=f"reserved name {name}") for name in sorted(RESERVED)),
    ],
)
def test_bad_definition_is_refused_and_not_registered(event_type, data, defaults, why):
    before = OpenEdxPublicSignal.all_events()
    with pytest.raises(InstantiationError, match=why):
        OpenEdxPublicSignal(event_type, data, defaults=defaults)
    assert OpenEdxPublicSignal.all_events() == before


def test_reserved_names_are_those_of_the_contract():
    assert ({"sender", "signal", "metadata", "from_event_bus", "send_robust", "time", "immediate", "using"}) == RESERVED


def test_registry_finds_a_signal_by_its_type(parcel_sent):
    assert OpenEdxPublicSignal.get_signal_by_type("org.example.parcel.sent.v1") is parcel_sent
    assert OpenEdxPublicSignal.all_events().count(parcel_sent) == 1


def test_registry_does_not_know_other_types():
    with pytest.raises(KeyError):
        OpenEdxPublicSignal.get_signal_by_type(TYPE)


@pytest.mark.rule("events.E15")
@pytest.mark.parametrize("data", [{"parcel": Parcel}, {"parcel": Crate}], ids=["same arguments", "other arguments"])
def test_second_signal_of_a_type_is_refused(data):
    first = OpenEdxPublicSignal(TYPE, {"parcel": Parcel})
    with pytest.raises(InstantiationError, match=f"{TYPE}: is registered already, in {__name__}, line"):
        OpenEdxPublicSignal(TYPE, data)
    assert OpenEdxPublicSignal.get_signal_by_type(TYPE) is first


@pytest.mark.rule("events.E15")
@pytest.mark.parametrize("forget", [False, True], ids=["reloaded", "imported from scratch"])
def test_module_imported_again_gets_the_first_objects_with_their_receivers(receive, monkeypatch, forget):
    receiver = receive(COURSE_ENROLLMENT_CREATED)
    try:
        if forget:
            monkeypatch.delitem(sys.modules, learning_signals.__name__)
            again = importlib.import_module(learning_signals.__name__)
        else:
            again = importlib.reload(learning_signals)
        assert again.COURSE_ENROLLMENT_CREATED is COURSE_ENROLLMENT_CREATED
        assert receiver in [connected for _, connected, _ in COURSE_ENROLLMENT_CREATED.receivers]
    finally:
        COURSE_ENROLLMENT_CREATED.disconnect(receiver)


@pytest.mark.rule("events.E15")
def test_statement_copied_within_a_module_is_refused(tmp_path, monkeypatch):
    statement = f"OpenEdxPublicSignal({TYPE!r}, {{'count': int}})\n"
    module = tmp_path / "copied_signals.py"
    module.write_text("from events.tooling import OpenEdxPublicSignal\n" + 2 * statement)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InstantiationError, match="is registered already, in copied_signals, line 2"):
        importlib.import_module("copied_signals")


@pytest.mark.rule("events.E15")
def test_module_imported_again_with_another_definition_is_refused(tmp_path, monkeypatch):
    module = tmp_path / "edited_signals.py"
    text = f"from events.tooling import OpenEdxPublicSignal\nOpenEdxPublicSignal({TYPE!r}, {{'count': int}})\n"
    module.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    edited = importlib.import_module("edited_signals")
    module.write_text(text.replace("int", "float"))
    with pytest.raises(InstantiationError, match="is registered already, in edited_signals, line 2"):
        importlib.reload(edited)


def test_all_signals_of_the_app_are_loaded(monkeypatch):
    OpenEdxPublicSignal._mapping.clear()
    for name in ("events.learning.signals", "events.credit.signals"):
        monkeypatch.delitem(sys.modules, name)
    load_all_signals()
    assert "org.openedx.learning.course.enrollment.created.v1" in OpenEdxPublicSignal._mapping
    assert "org.coursecredit.learning.credit.request.created.v1" in OpenEdxPublicSignal._mapping
