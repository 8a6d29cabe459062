"""The classes and signals are those of `event_classes.json`, field by field (events contract 3.1, 8.1, 8.2, 9)."""

import copy
import inspect
import json
import pickle
import typing
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey

from events.credit import data as credit
from events.credit import signals as credit_signals
from events.learning import data as learning
from events.learning import signals as learning_signals
from events.tooling import PROJECT, OpenEdxPublicSignal

CATALOGUE = json.loads((Path(__file__).parent / "event_classes.json").read_text())
OWN = CATALOGUE["project_own"]

UPSTREAM_CLASSES = [
    learning.UserNonPersonalData,
    learning.UserPersonalData,
    learning.UserData,
    learning.CourseData,
    learning.CourseEnrollmentData,
    learning.ExamAttemptData,
    learning.PersistentCourseGradeData,
]
OWN_CLASSES = [
    credit.CreditRequirementData,
    credit.CreditRequirementStatusData,
    credit.CreditEligibilityData,
    credit.CreditRequestData,
]
CLASSES = UPSTREAM_CLASSES + OWN_CLASSES
KNOWN_TYPES = {
    **{cls.__name__: cls for cls in CLASSES},
    **{cls.__name__: cls for cls in (str, bool, int, float, datetime, CourseKey, UsageKey)},
    "List[str]": list[str],
}
MOMENT = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ADA = learning.UserData(7, True, learning.UserPersonalData("ada", "ada@example.org"))
SOMEBODY = learning.UserNonPersonalData(7, True)
COURSE = learning.CourseData(CourseKey.from_string("course-v1:Org+C101+2024"))
EXAMPLES = {
    learning.UserNonPersonalData: SOMEBODY,
    learning.UserPersonalData: ADA.pii,
    learning.UserData: ADA,
    learning.CourseData: COURSE,
    learning.CourseEnrollmentData: learning.CourseEnrollmentData(ADA, COURSE, "verified", True, MOMENT),
    learning.ExamAttemptData: learning.ExamAttemptData(
        ADA,
        COURSE.course_key,
        UsageKey.from_string("block-v1:Org+C101+2024+type@problem+block@abc"),
        "proctored",
    ),
    learning.PersistentCourseGradeData: learning.PersistentCourseGradeData(
        7, COURSE, MOMENT, "v1", "hash", 0.7, "Pass", MOMENT
    ),
    credit.CreditRequirementData: credit.CreditRequirementData("grade", "grade"),
    credit.CreditRequirementStatusData: credit.CreditRequirementStatusData(
        SOMEBODY, COURSE, credit.CreditRequirementData("grade", "grade"), "satisfied", "", MOMENT
    ),
    credit.CreditEligibilityData: credit.CreditEligibilityData(SOMEBODY, COURSE, MOMENT, MOMENT),
    credit.CreditRequestData: credit.CreditRequestData(
        "a" * 32, SOMEBODY, COURSE, "mit", "pending", "", MOMENT, MOMENT
    ),
}

each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def described(cls) -> dict:
    known = CATALOGUE["classes"] if cls in UPSTREAM_CLASSES else OWN["classes"]
    return known[cls.__name__]


class TestClasses:
    @each_class
    def test_fields_have_names_types_and_defaults_in_wire_order(self, cls):
        assert [(field.name, field.type, default_of(field)) for field in attrs.fields(attrs.resolve_types(cls))] == [
            (field["name"], KNOWN_TYPES[field["type"]], described_default(field)) for field in described(cls)["fields"]
        ]

    @each_class
    def test_constructor_takes_the_fields_in_that_order_by_position_or_name(self, cls):
        example = EXAMPLES[cls]
        values = attrs.asdict(example, recurse=False)
        assert cls(*values.values()) == cls(**values) == example

    @each_class
    def test_base_class_is_the_catalogues(self, cls):
        assert [base.__name__ for base in cls.__bases__ if base is not object] == described(cls).get("bases", [])

    @each_class
    def test_object_is_frozen(self, cls):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(EXAMPLES[cls], attrs.fields(cls)[0].name, None)

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
        assert again(EXAMPLES[cls]) == EXAMPLES[cls]

    @each_class
    def test_missing_or_unknown_argument_is_a_type_error(self, cls):
        with pytest.raises(TypeError):
            cls()
        with pytest.raises(TypeError):
            cls(**attrs.asdict(EXAMPLES[cls], recurse=False), unknown=1)

    @each_class
    def test_every_field_is_documented(self, cls):
        own = [field.name for field in attrs.fields(cls) if not field.inherited]
        documented = inspect.getdoc(cls).partition("Attributes:")[2]
        assert [name for name in own if f"\n    {name}: " not in documented] == []

    def test_objects_are_ordered_by_their_fields(self):
        assert learning.UserNonPersonalData(1, True) < learning.UserNonPersonalData(2, False)

    def test_base_and_subclass_are_never_equal(self):
        assert learning.UserNonPersonalData(7, True) != ADA

    def test_object_is_hashable_unless_a_field_holds_a_list(self):
        assert len({ADA, copy.copy(ADA)}) == 1
        with pytest.raises(TypeError):
            hash(EXAMPLES[credit.CreditEligibilityData])

    def test_default_list_is_fresh_each_time(self):
        first, second = (credit.CreditEligibilityData(SOMEBODY, COURSE, MOMENT, MOMENT) for _ in range(2))
        assert first.provider_ids is not second.provider_ids

    @pytest.mark.rule("events.E1")
    def test_construction_is_lenient(self):
        assert learning.UserNonPersonalData(id="x", is_active="maybe").id == "x"


class TestOwnClasses:
    """What keeps them readable by a stock consumer (events contract 9)."""

    @pytest.mark.parametrize("cls", OWN_CLASSES, ids=lambda cls: cls.__name__)
    def test_default_is_an_empty_text_or_list(self, cls):
        defaults = [default_of(field) for field in attrs.fields(cls)]
        assert all(default in ("required", str, list) for default in defaults)

    @pytest.mark.parametrize("cls", OWN_CLASSES, ids=lambda cls: cls.__name__)
    def test_no_personal_data_inside(self, cls):
        assert not {learning.UserData, learning.UserPersonalData} & classes_within(cls)


class TestSignals:
    UPSTREAM = [
        "org.openedx.learning.course.enrollment.created.v1",
        "org.openedx.learning.course.enrollment.changed.v1",
        "org.openedx.learning.course.unenrollment.completed.v1",
        "org.openedx.learning.exam.attempt.submitted.v1",
        "org.openedx.learning.exam.attempt.verified.v1",
        "org.openedx.learning.exam.attempt.rejected.v1",
        "org.openedx.learning.exam.attempt.errored.v1",
        "org.openedx.learning.exam.attempt.reset.v1",
        "org.openedx.learning.course.persistent_grade_summary.changed.v1",
    ]
    OWN = [signal for signal in OWN["signals"] if signal["type_suffix"].startswith("learning.credit.")]

    @pytest.mark.parametrize("event_type", UPSTREAM)
    def test_upstream_signal_is_the_catalogues(self, event_type):
        described = CATALOGUE["signals"][event_type]
        assert_is_described(getattr(learning_signals, described["variable"]), event_type, described)

    @pytest.mark.parametrize("described", OWN, ids=lambda described: described["variable"])
    def test_own_signal_is_the_catalogues(self, described):
        event_type = f"org.coursecredit.{described['type_suffix']}"
        assert_is_described(getattr(credit_signals, described["variable"]), event_type, described)

    def test_there_are_seven_own_signals_about_credit(self):
        assert len(self.OWN) == 7
        assert PROJECT == "org.coursecredit"

    @pytest.mark.parametrize("described", OWN, ids=lambda described: described["variable"])
    def test_key_goes_through_required_fields_only(self, described):
        first, *path = described["event_key_field"].split(".")
        current = KNOWN_TYPES[described["init_data"][first]]
        for step in path:
            field = attrs.fields_dict(current)[step]
            assert field.default is attrs.NOTHING
            current = field.type


def assert_is_described(signal, event_type, described):
    assert OpenEdxPublicSignal.get_signal_by_type(event_type) is signal
    assert signal.event_type == event_type
    assert signal.minor_version == described["minor_version"]
    assert list(signal.init_data.items()) == [
        (name, KNOWN_TYPES[class_name]) for name, class_name in described["init_data"].items()
    ]


def default_of(field):
    if field.default is attrs.NOTHING:
        return "required"
    return field.default.factory if isinstance(field.default, attrs.Factory) else field.default


def described_default(field):
    if field["required"]:
        return "required"
    return {"str": str, "list": list}[field["default_factory"]] if "default_factory" in field else field["default"]


def classes_within(cls) -> set:
    within = {cls}
    for field in attrs.fields(cls):
        for part in (field.type, *typing.get_args(field.type)):
            if attrs.has(part):
                within |= classes_within(part)
    return within
