"""The classes and signals are those of `event_classes.json`, field by field (events contract 3, 8, 9)."""

import copy
import inspect
import pickle
import typing
from datetime import UTC, datetime
from importlib import import_module

import attrs
import pytest
from opaque_keys.edx.keys import CourseKey

from events.avro import is_fit_for_bus
from events.credit import data as credit
from events.learning import data as learning
from events.tooling import PROJECT, OpenEdxPublicSignal
from tests.events.records import (
    CATALOGUE,
    CLASSES,
    DESCRIBED,
    OWN,
    OWN_SUBDOMAINS,
    annotated,
    class_named,
    example,
    module_of,
)

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough

MOMENT = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ADA = learning.UserData(7, True, learning.UserPersonalData("ada", "ada@example.org"))
COURSE = learning.CourseData(CourseKey.from_string("course-v1:Org+C101+2024"))
ELIGIBILITY = credit.CreditEligibilityData(learning.UserNonPersonalData(7, True), COURSE, MOMENT, MOMENT)
IN_PROCESS_ONLY = {
    "org.openedx.learning.discussions.configuration.changed.v1",
    "org.openedx.learning.user.notification.requested.v1",
    "org.openedx.learning.course.notification.requested.v1",
    "org.openedx.learning.forum.thread.created.v1",
    "org.openedx.learning.forum.thread.response.created.v1",
    "org.openedx.learning.forum.thread.response.comment.created.v1",
    "org.openedx.learning.ora.submission.created.v1",
    "org.openedx.learning.external_grader.score.submitted.v1",
}

each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
each_own_class = pytest.mark.parametrize(
    "cls", [class_named(name) for name in OWN["classes"]], ids=lambda cls: cls.__name__
)
each_upstream_signal = pytest.mark.parametrize("event_type", CATALOGUE["signals"])
each_own_signal = pytest.mark.parametrize("described", OWN["signals"], ids=lambda described: described["variable"])


class TestClasses:
    def test_all_classes_of_the_contract_are_there(self):
        assert (len(CATALOGUE["classes"]), len(CATALOGUE["classes_added_since_the_seed"]), len(OWN["classes"])) == (
            37,
            3,
            6,
        )
        assert len(CLASSES) == 46

    @each_class
    def test_fields_have_names_types_and_defaults_in_wire_order(self, cls):
        assert [(field.name, field.type, default_of(field)) for field in attrs.fields(attrs.resolve_types(cls))] == [
            (field["name"], annotated(field["type"]), described_default(field))
            for field in DESCRIBED[cls.__name__]["fields"]
        ]

    @each_class
    def test_constructor_takes_the_fields_in_that_order_by_position_or_name(self, cls):
        values = attrs.asdict(example(cls), recurse=False)
        assert cls(*values.values()) == cls(**values) == example(cls)

    @each_class
    def test_base_class_is_the_catalogues(self, cls):
        bases = [base.__name__ for base in cls.__bases__ if base is not object]
        assert bases == DESCRIBED[cls.__name__].get("bases", [])

    @each_class
    def test_object_is_frozen(self, cls):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(example(cls), attrs.fields(cls)[0].name, None)

    @each_class
    def test_object_has_no_slots(self, cls):
        assert "__slots__" not in vars(cls)

    @each_class
    @pytest.mark.parametrize(
        "again",
        [
            pytest.param(copy.copy, id="copy"),
            pytest.param(copy.deepcopy, id="deep copy"),
            pytest.param(lambda value: pickle.loads(pickle.dumps(value)), id="pickle"),
            pytest.param(attrs.evolve, id="evolve"),
        ],
    )
    def test_copies_are_equal(self, cls, again):
        assert again(example(cls)) == example(cls)

    @each_class
    def test_missing_or_unknown_argument_is_a_type_error(self, cls):
        with pytest.raises(TypeError, match="unknown"):
            cls(**attrs.asdict(example(cls), recurse=False), unknown=1)
        required = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
        if required:
            with pytest.raises(TypeError, match=required[0]):
                cls()

    @each_class
    def test_every_field_is_documented(self, cls):
        own = [field.name for field in attrs.fields(cls) if not field.inherited]
        documented = inspect.getdoc(cls).partition("Attributes:")[2]
        assert [name for name in own if f"\n    {name}: " not in documented] == []

    @each_class
    def test_containers_are_fresh_each_time(self, cls):
        first, second = example(cls), example(cls)
        fresh = [field.name for field in attrs.fields(cls) if default_of(field) in (list, dict)]
        assert [name for name in fresh if getattr(first, name) is getattr(second, name)] == []

    def test_objects_are_ordered_by_their_fields(self):
        assert learning.UserNonPersonalData(1, True) < learning.UserNonPersonalData(2, False)

    def test_base_and_subclass_are_never_equal(self):
        assert learning.UserNonPersonalData(7, True) != ADA

    def test_redefined_field_moves_to_the_place_of_its_own(self):
        assert list(attrs.fields_dict(learning.CcxCoursePassingStatusData)) == ["is_passing", "user", "course"]

    def test_object_is_hashable_unless_a_field_holds_a_list(self):
        assert len({ADA, copy.copy(ADA)}) == 1
        with pytest.raises(TypeError):
            hash(ELIGIBILITY)

    @pytest.mark.rule("events.E1")
    def test_construction_is_lenient(self):
        assert learning.UserNonPersonalData(id="x", is_active="maybe").id == "x"


class TestOwnClasses:
    """What keeps them readable by a stock consumer (events contract 9)."""

    @each_own_class
    def test_default_is_none_or_an_empty_text_or_list(self, cls):
        defaults = [default_of(field) for field in attrs.fields(cls)]
        assert all(default in ("required", None, str, list) for default in defaults)

    @each_own_class
    def test_no_personal_data_inside(self, cls):
        assert not {learning.UserData, learning.UserPersonalData} & classes_within(cls)


class TestSignals:
    def test_all_signals_of_the_contract_are_there(self):
        assert (len(CATALOGUE["signals"]), len(OWN["signals"])) == (46, 13)
        known = {signal.event_type for signal in OpenEdxPublicSignal.all_events()}
        assert {event_type for event_type in known if event_type.startswith("org.openedx.")} == set(
            CATALOGUE["signals"]
        )
        assert {event_type for event_type in known if event_type.startswith("org.coursecredit.")} == {
            f"org.coursecredit.{described['type_suffix']}" for described in OWN["signals"]
        }
        assert PROJECT == "org.coursecredit"

    @each_upstream_signal
    def test_upstream_signal_is_the_catalogues(self, event_type):
        described = CATALOGUE["signals"][event_type]
        module = import_module(f"events.{described['subdomain']}.signals")
        assert_is_described(getattr(module, described["variable"]), event_type, described)

    @each_own_signal
    def test_own_signal_is_the_catalogues(self, described):
        subdomain = module_of(next(iter(described["init_data"].values())))
        assert subdomain in OWN_SUBDOMAINS
        signal = getattr(import_module(f"events.{subdomain}.signals"), described["variable"])
        assert_is_described(signal, f"org.coursecredit.{described['type_suffix']}", described)
        assert signal.about.topic == described["default_topic"]
        assert signal.about.key == described["event_key_field"]

    @each_upstream_signal
    def test_documented_key_is_the_catalogues(self, event_type):
        key = CATALOGUE["signals"][event_type]["event_key_field"]
        assert key in (None, OpenEdxPublicSignal.get_signal_by_type(event_type).about.key)

    @pytest.mark.rule("events.E3")
    @each_upstream_signal
    def test_signal_is_fit_for_the_bus_if_the_reference_puts_it_there(self, event_type):
        fit = is_fit_for_bus(OpenEdxPublicSignal.get_signal_by_type(event_type))
        described = CATALOGUE["signals"][event_type]
        assert fit == (described["avro_ok_10_5_0"] and not described["listed_as_not_for_the_bus_10_5_0"])
        assert fit == (event_type not in IN_PROCESS_ONLY)

    def test_every_documented_key_goes_through_required_fields_to_a_value_that_has_a_text(self):
        for signal in OpenEdxPublicSignal.all_events():
            if signal.about and signal.about.key:
                first, *path = signal.about.key.split(".")
                current = signal.init_data[first]
                for step in path:
                    field = attrs.fields_dict(current)[step]
                    assert field.default is attrs.NOTHING, signal
                    current = field.type
                assert not attrs.has(current), signal

    def test_every_signal_is_documented(self):
        of_the_app = [signal for signal in OpenEdxPublicSignal.all_events() if signal.module.startswith("events.")]
        assert [signal for signal in of_the_app if not (signal.about and signal.about.when.endswith("."))] == []


def assert_is_described(signal, event_type, described):
    assert OpenEdxPublicSignal.get_signal_by_type(event_type) is signal
    assert signal.event_type == event_type
    assert signal.minor_version == described["minor_version"]
    assert list(signal.init_data.items()) == [
        (name, class_named(class_name)) for name, class_name in described["init_data"].items()
    ]


def default_of(field):
    if field.default is attrs.NOTHING:
        return "required"
    return field.default.factory if isinstance(field.default, attrs.Factory) else field.default


def described_default(field):
    if field["required"]:
        return "required"
    factories = {"str": str, "list": list, "dict": dict}
    if "default_factory" in field:
        return factories[field["default_factory"]]
    return dict if field["default"] == {} else field["default"]  # one shared dict upstream; a fresh one here (E4)


def classes_within(cls) -> set:
    within = {cls}
    for field in attrs.fields(cls):
        for part in (field.type, *typing.get_args(field.type)):
            if attrs.has(part):
                within |= classes_within(part)
    return within
