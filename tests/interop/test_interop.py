"""Open edX's own packages, in a process and an environment of their own, at the other end of the bus.

`make interop` builds that environment and names it in `INTEROP_PYTHON`.
"""

import base64
import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import attrs
import pytest
from django.core.management import call_command
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit import api as credit_api
from credit.models import CreditRequirementStatus
from enrollment.models import CourseCertificate
from events.avro import encode, is_fit_for_bus, schema
from events.credit.data import CreditEligibilityData
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED
from events.data import EventsMetadata
from events.learning import signals as learning
from events.learning.data import (
    CertificateData,
    CourseData,
    CourseEnrollmentData,
    ExamAttemptData,
    PersistentCourseGradeData,
    UserData,
    UserNonPersonalData,
    UserPersonalData,
)
from events.tooling import OpenEdxPublicSignal
from tests.credit.factories import CreditCourseFactory, CreditRequirementFactory, enroll
from tests.enrollment.factories import UserFactory
from tests.events.redis_bus import Topic, text_of
from tests.support import service_url

pytestmark = [pytest.mark.slow, pytest.mark.rule("events.interop")]

ROOT = Path(__file__).resolve().parents[2]
COURSE = CourseKey.from_string("course-v1:Org+C101+2024")
EXAM = UsageKey.from_string("block-v1:Org+C101+2024+type@sequential+block@final")
CREATED = "org.openedx.learning.course.enrollment.created.v1"
PRODUCER = {"EVENT_BUS_PRODUCER": "events.bus.redis.create_producer"}


@pytest.fixture
def topic(settings):
    topic = Topic(service_url("redis"))
    for name, value in {**topic.settings, **PRODUCER}.items():
        setattr(settings, name, value)
    yield topic
    topic.delete()


class Stock:
    """The reference's producer and consumer."""

    def __init__(self, python: str, topic: Topic) -> None:
        self._command = [python, "-m", "tests.interop.stock"]
        self._topic = topic
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "STOCK_PREFIX": topic.prefix,
            "STOCK_REDIS_URL": topic.url,
        }

    def consume(self, event_type: str, *, count: int = 1, apps: str = "") -> list[dict]:
        """Return what receivers in a stock service were told."""
        return self._run("consume", event_type, self._topic.name, str(count), apps=apps)

    def produce(self, *events: tuple[OpenEdxPublicSignal, str, dict]) -> list[EventsMetadata]:
        """Have a stock service send events, made from their arguments; return their metadata."""
        lines = [
            json.dumps({"type": signal.event_type, "key": key, "payload": payload_of(signal, data)})
            for signal, key, data in events
        ]
        told = self._run("produce", self._topic.name, standard_input="\n".join(lines))
        return [EventsMetadata.from_json(json.dumps({"minorversion": 0, **line})) for line in told]

    def schemas(self, event_types: list[str]) -> list[dict]:
        """Return what a stock service reads and writes these types by."""
        return self._run("schemas", *event_types)

    def _run(self, *arguments: str, apps: str = "", standard_input: str = "") -> list[dict]:
        done = subprocess.run(
            [*self._command, *arguments],
            cwd=ROOT,
            env={**self._environment, "STOCK_APPS": apps},
            input=standard_input,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def stock(topic):
    return Stock(os.environ["INTEROP_PYTHON"], topic)


def payload_of(signal, data):
    return base64.b16encode(encode(signal, data)).decode()


def person(user):
    return UserData(
        id=user.id, is_active=True, pii=UserPersonalData(username=user.username, email=user.email, name="Ada Ł")
    )


def undocumented(schema):
    """Return a schema without its explanations, which mean nothing."""
    if isinstance(schema, dict):
        return {name: undocumented(value) for name, value in schema.items() if name != "doc"}
    return [undocumented(value) for value in schema] if isinstance(schema, list) else schema


def test_every_upstream_type_on_the_bus_has_the_references_schema(stock):
    ours = {
        signal.event_type: undocumented(schema(signal))
        for signal in OpenEdxPublicSignal.all_events()
        if signal.event_type.startswith("org.openedx.") and is_fit_for_bus(signal)
    }
    assert len(ours) == 38
    theirs = dict(zip(ours, map(undocumented, stock.schemas([*ours])), strict=True))
    assert theirs == ours


def plain(value):
    """Return a payload as the stock process prints it."""
    return json.loads(json.dumps(attrs.asdict(value), default=str, sort_keys=True))


def consume(topic):
    call_command("consume_events", "-t", topic.name, "-g", "course-credit", "--once")


def sent_by_us(topic, settings, signal, argument, value):
    """Send one event through the outbox and its relay; return its metadata."""
    settings.EVENT_BUS_PRODUCER_CONFIG = {
        signal.event_type: {
            topic.name: {"event_key_field": f"{argument}.course.course_key", "enabled": True},
        }
    }
    time = timezone.now()
    signal.send_event(time=time, **{argument: value})
    call_command("relay_outbox", "--once")
    [(_, fields)] = topic.redis.xrange(topic.key)
    told = text_of(fields)
    assert told["time"] == time.isoformat()
    return told


@pytest.mark.django_db(transaction=True)
class TestStockConsumer:
    """Reads what outbox and relay have written."""

    def test_reads_our_enrollment_event(self, topic, stock, settings):
        enrollment = CourseEnrollmentData(
            user=person(UserFactory()),
            course=CourseData(course_key=COURSE, display_name="Intro"),
            mode="verified",
            is_active=True,
            creation_date=timezone.now(),
        )
        headers = sent_by_us(topic, settings, learning.COURSE_ENROLLMENT_CREATED, "enrollment", enrollment)
        [told] = stock.consume(CREATED)
        assert told["data"] == {"enrollment": plain(enrollment)}
        assert told["from_event_bus"] is True
        assert_equal_metadata(told["metadata"], headers)

    def test_reads_an_event_of_our_own_with_our_types_installed(self, topic, stock, settings):
        eligibility = CreditEligibilityData(
            user=UserNonPersonalData(id=7, is_active=True),
            course=CourseData(course_key=COURSE, display_name="Intro"),
            earned_date=timezone.now(),
            deadline=timezone.now() + timedelta(days=365),
            provider_ids=["asu", "mit"],
        )
        headers = sent_by_us(topic, settings, CREDIT_ELIGIBILITY_EARNED, "eligibility", eligibility)
        [told] = stock.consume(CREDIT_ELIGIBILITY_EARNED.event_type, apps="events.contrib.openedx")
        assert told["data"] == {"eligibility": plain(eligibility)}
        assert told["from_event_bus"] is True
        assert_equal_metadata(told["metadata"], headers)


def assert_equal_metadata(told, headers):
    metadata = json.loads(told)
    metadata["type"] = metadata.pop("event_type")
    metadata["minorversion"] = str(metadata["minorversion"])
    metadata["sourcelib"] = ".".join(str(number) for number in metadata["sourcelib"])
    assert metadata == {name: text for name, text in headers.items() if name != "event_data"}


@pytest.mark.django_db
class TestStockProducer:
    """Writes what our consumer reads."""

    def test_payload_metadata_and_bytes_are_those_that_were_sent(self, topic, stock):
        signal = learning.COURSE_ENROLLMENT_CREATED
        enrollment = CourseEnrollmentData(
            user=person(UserFactory()),
            course=CourseData(course_key=COURSE, display_name="Intro", start=timezone.now()),
            mode="audit",
            is_active=False,
            creation_date=timezone.now(),
        )
        seen = []
        signal.connect(receiver := lambda **kwargs: seen.append(kwargs))
        try:
            [metadata] = stock.produce((signal, "enrollment.course.course_key", {"enrollment": enrollment}))
            consume(topic)
        finally:
            signal.disconnect(receiver)
        [call] = seen
        assert (call["enrollment"], call["metadata"], call["from_event_bus"]) == (enrollment, metadata, True)
        [(_, fields)] = topic.redis.xrange(topic.key)
        assert fields[b"event_data"] == encode(signal, {"enrollment": enrollment})

    def test_exam_grade_and_certificate_events_move_credit_requirements(self, topic, stock):
        user = UserFactory()
        course = CreditCourseFactory(course_key=str(COURSE))
        enroll(user, course)
        CreditRequirementFactory(course=course, namespace="proctored_exam", name=str(EXAM))
        CreditRequirementFactory(course=course, namespace="grade", name="grade", criteria={"min_grade": 0.8})
        learner = person(user)
        course_data = CourseData(course_key=COURSE, display_name="Intro")
        attempt = {"exam_attempt": ExamAttemptData(learner, COURSE, EXAM, "proctored", None)}
        grade = PersistentCourseGradeData(
            user_id=user.id,
            course=course_data,
            course_edited_timestamp=timezone.now(),
            course_version="1",
            grading_policy_hash="hash",
            percent_grade=0.9,
            letter_grade="A",
            passed_timestamp=timezone.now(),
        )
        certificate = CertificateData(
            learner, course_data, "verified", "0.9", "https://certificates.example.edu/1", "Ada", "downloadable"
        )
        stock.produce(
            (learning.EXAM_ATTEMPT_SUBMITTED, "exam_attempt.course_key", attempt),
            (learning.EXAM_ATTEMPT_VERIFIED, "exam_attempt.course_key", attempt),
            (learning.PERSISTENT_GRADE_SUMMARY_CHANGED, "grade.course.course_key", {"grade": grade}),
            (learning.CERTIFICATE_CREATED, "certificate.course.course_key", {"certificate": certificate}),
        )
        consume(topic)
        statuses = CreditRequirementStatus.objects.values_list("requirement__namespace", "status")
        assert dict(statuses) == {"proctored_exam": "satisfied", "grade": "satisfied"}
        assert credit_api.is_user_eligible_for_credit(user.username, COURSE)
        assert CourseCertificate.objects.get().user == user
