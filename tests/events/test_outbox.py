"""What `send_event` leaves in the outbox, and how events leave that have no row (events contract 15)."""

import logging
from uuid import UUID

import attrs
import pytest
from celery import current_app
from django.db import transaction
from opaque_keys.edx.keys import CourseKey, UsageKey

from coursecredit import broker
from events import handlers
from events.api import forget_subject, send_events
from events.avro import decode, encode, fingerprint
from events.bus import BusUnavailable, EventBusProducer
from events.choices import OutboxState
from events.exceptions import EventSerializationError
from events.learning.data import CourseData, CourseEnrollmentData, ExamAttemptData, UserData, UserPersonalData
from events.learning.signals import COURSE_ENROLLMENT_CREATED, EXAM_ATTEMPT_RESET
from events.models import OutboxEvent, lane_of
from events.ports import get_producer
from events.privacy import subject_of
from events.testing import captured_events
from tests.credit.broker import empty_broker
from tests.events.outboxes import MEMORY, TOPIC, TYPE, bus, config, send
from tests.events.parcels import PARCEL, Parcel
from tests.events.transactions import rolled_back
from tests.support import statements

COMMITTING = pytest.mark.django_db(transaction=True)
pytestmark = [pytest.mark.django_db, pytest.mark.rule("events.outbox")]
USER = UserData(id=7, is_active=True, pii=UserPersonalData("marker-name", "marker@example.org", "Marker"))


class ForeignProducer(EventBusProducer):
    """Somebody else's: it takes objects."""

    sent: list[dict] = []
    failure: Exception | None = None

    def send(self, **named):
        self.sent.append(named)
        if self.failure:
            raise self.failure


FOREIGN = f"{__name__}.ForeignProducer"


@pytest.fixture(autouse=True)
def _fresh():
    ForeignProducer.sent, ForeignProducer.failure = [], None
    handlers._rest_until = 0.0
    broker.reset()
    yield
    handlers._rest_until = 0.0


@pytest.fixture
def foreign(settings, parcels_leave):
    settings.EVENT_BUS_PRODUCER = FOREIGN
    return ForeignProducer


def test_row_holds_all_that_the_bus_will_see(parcels_leave):
    with captured_events() as events:
        send(parcels_leave, attempt=3)
    [row] = OutboxEvent.objects.all()
    metadata = events[0].metadata
    assert (row.event_id, row.event_type, row.time) == (metadata.id, TYPE, metadata.time)
    assert (row.source, row.sourcehost, row.minorversion) == (metadata.source, metadata.sourcehost, 0)
    assert row.sourcelib == ".".join(map(str, metadata.sourcelib))
    assert (row.topic, row.key, row.lane, row.state) == (TOPIC, "3", lane_of(TOPIC, "3"), OutboxState.PENDING)
    assert bytes(row.payload) == encode(parcels_leave, {"parcel": PARCEL, "attempt": 3})
    assert row.schema_fingerprint == fingerprint(parcels_leave)


def test_one_event_adds_one_statement_to_a_transaction(parcels_leave):
    with transaction.atomic(), statements() as run:
        send(parcels_leave)
    assert len(run) == 1, run


@pytest.mark.parametrize("count", [1, 30])
def test_bulk_adds_one_statement_to_a_transaction(parcels_leave, count):
    with transaction.atomic(), statements() as run:
        send_events([(parcels_leave, {"parcel": PARCEL, "attempt": attempt}) for attempt in range(count)])
    assert len(run) == 1, run
    assert list(OutboxEvent.objects.oldest_first().values_list("key", flat=True)) == [str(n) for n in range(count)]


def test_no_row_without_an_enabled_topic(settings, parcels_leave):
    settings.EVENT_BUS_PRODUCER_CONFIG = config(enabled=False)
    with transaction.atomic(), statements() as run:
        send(parcels_leave)
    assert len(run) == 0, run


def test_one_row_for_each_enabled_topic(settings, parcels_leave):
    entry = config()[TYPE][TOPIC]
    settings.EVENT_BUS_PRODUCER_CONFIG = {TYPE: {TOPIC: entry, "other": entry, "off": {**entry, "enabled": False}}}
    send(parcels_leave)
    assert sorted(OutboxEvent.objects.values_list("topic", flat=True)) == ["other", TOPIC]
    assert OutboxEvent.objects.values("event_id").distinct().count() == 1


@pytest.mark.rule("events.acceptance.8")
def test_rollback_leaves_no_row(parcels_leave):
    with rolled_back():
        send(parcels_leave)
    with transaction.atomic():
        send(parcels_leave, attempt=1)
        with rolled_back():
            send(parcels_leave, attempt=2)
    assert list(OutboxEvent.objects.values_list("key", flat=True)) == ["1"]


def test_event_from_the_bus_is_not_put_on_it_again(parcels_leave):
    metadata = parcels_leave.generate_signal_metadata()
    parcels_leave.send_event_with_custom_metadata(metadata, parcel=PARCEL, attempt=1)
    assert not OutboxEvent.objects.exists()


@COMMITTING
class TestNudge:
    """A worker is asked once per transaction, after the commit."""

    @pytest.fixture
    def messages(self):
        with empty_broker() as take:
            yield lambda: [message.task for message in take()]

    def test_once_however_many_events(self, parcels_leave, messages):
        with transaction.atomic():
            send(parcels_leave, attempt=1)
            send(parcels_leave, attempt=2)
            assert messages() == []
        assert messages() == ["events.tasks.relay_outbox"]

    def test_outside_of_a_transaction_too(self, parcels_leave, messages):
        send(parcels_leave)
        assert messages() == ["events.tasks.relay_outbox"]

    def test_never_after_a_rollback(self, parcels_leave, messages):
        with rolled_back():
            send(parcels_leave)
        assert messages() == []

    def test_its_failure_is_ignored(self, parcels_leave, monkeypatch):
        monkeypatch.setattr(current_app.Task, "apply_async", lambda *args, **options: 1 / 0)
        send(parcels_leave)
        assert OutboxEvent.objects.pending().count() == 1


class TestWhatCannotBeEncoded:
    @pytest.fixture(params=["wrong type", "too long"])
    def bad(self, request, settings):
        if request.param == "too long":
            settings.EVENTS_MAX_PAYLOAD_BYTES = 10
            return {"parcel": PARCEL, "attempt": 1}
        return {"parcel": Parcel(label=123), "attempt": 1}

    def test_is_an_error_of_the_sender(self, parcels_leave, bad):
        with pytest.raises(EventSerializationError, match=TYPE), captured_events() as events:
            parcels_leave.send_event(**bad)
        assert (len(events), OutboxEvent.objects.count()) == (0, 0)

    def test_spoils_all_of_a_bulk_write(self, parcels_leave, bad):
        with pytest.raises(EventSerializationError):
            send_events([(parcels_leave, {"parcel": Parcel("a"), "attempt": 2}), (parcels_leave, bad)])
        assert not OutboxEvent.objects.exists()

    def test_is_logged_and_kept_without_payload_if_so_wished(self, settings, parcels_leave, bad, caplog):
        settings.EVENTS_OUTBOX_ON_ENCODING_ERROR = "log"
        parcels_leave.send_event(**bad)
        [row] = OutboxEvent.objects.dead()
        assert (row.payload, row.subject_user_id, row.lane) == (None, None, None)
        assert TYPE in row.last_error
        assert not OutboxEvent.objects.retryable().exists()
        [record] = [record for record in caplog.records if record.name == "events.outbox"]
        assert record.levelno == logging.ERROR
        assert PARCEL.label not in caplog.text + row.last_error


@COMMITTING
class TestDirectWay:
    """Mode `on-commit`, and producers from elsewhere: at most once, after the commit, without a row."""

    def test_on_commit_mode_sends_after_the_commit(self, settings, parcels_leave):
        settings.EVENT_BUS_PRODUCER_CONFIG = config(mode="on-commit")
        with transaction.atomic():
            send(parcels_leave)
            assert bus().entries == []
        assert [entry["type"] for entry in bus().of(TOPIC)] == [TYPE]
        assert not OutboxEvent.objects.exists()

    def test_default_mode_is_a_setting(self, settings, parcels_leave):
        settings.EVENT_BUS_PRODUCER_MODE = "on-commit"
        send(parcels_leave)
        assert (len(bus().entries), OutboxEvent.objects.count()) == (1, 0)

    def test_foreign_producer_gets_objects(self, foreign, parcels_leave):
        with transaction.atomic():
            send(parcels_leave)
            assert foreign.sent == []
        [named] = foreign.sent
        assert named["event_data"] == {"parcel": PARCEL, "attempt": 1}
        assert (named["signal"], named["topic"], named["event_key_field"]) == (parcels_leave, TOPIC, "attempt")
        assert isinstance(named["event_metadata"].id, UUID)
        assert not OutboxEvent.objects.exists()

    def test_nothing_is_sent_after_a_rollback(self, foreign, parcels_leave):
        with rolled_back():
            send(parcels_leave)
        assert foreign.sent == []

    def test_failure_is_logged_without_payload_and_disturbs_nobody(self, foreign, parcels_leave, caplog):
        foreign.failure = ValueError(PARCEL.label)
        send(parcels_leave)
        send(parcels_leave)
        assert len(foreign.sent) == 2
        assert "is lost (ValueError)" in caplog.text
        assert PARCEL.label not in caplog.text

    def test_bus_that_is_away_is_left_in_peace(self, foreign, parcels_leave, caplog):
        foreign.failure = BusUnavailable("down")
        send(parcels_leave)
        send(parcels_leave)
        assert len(foreign.sent) == 1
        assert "the bus was away just now" in caplog.text

    @pytest.mark.parametrize(
        ("producer", "entry", "is_said"),
        [
            pytest.param(FOREIGN, {}, True, id="foreign producer"),
            pytest.param(MEMORY, {"mode": "on-commit"}, True, id="on-commit mode"),
            pytest.param(MEMORY, {}, False, id="outbox"),
            pytest.param(FOREIGN, {"enabled": False}, False, id="nothing enabled"),
        ],
    )
    def test_start_says_which_guarantees_do_not_hold(self, settings, parcels_leave, caplog, producer, entry, is_said):
        settings.EVENT_BUS_PRODUCER = producer
        settings.EVENT_BUS_PRODUCER_CONFIG = config(**entry)
        handlers.announce()
        assert (f"at most once, right after the commit and in no promised order: {TOPIC}" in caplog.text) is is_said


class TestPersonalData:
    COURSE = CourseData(course_key=CourseKey.from_string("course-v1:Org+C101+2024"))

    @pytest.fixture
    def enrollment(self, settings):
        settings.EVENT_BUS_PRODUCER = MEMORY
        settings.EVENT_BUS_PRODUCER_CONFIG = {
            COURSE_ENROLLMENT_CREATED.event_type: {
                "plain": {"event_key_field": "enrollment.course.course_key", "enabled": True},
                "bare": {"event_key_field": "enrollment.course.course_key", "enabled": True, "redact_pii": True},
            }
        }
        moment = COURSE_ENROLLMENT_CREATED.generate_signal_metadata().time
        creator = attrs.evolve(USER, id=8)
        return CourseEnrollmentData(USER, self.COURSE, "audit", True, moment, created_by=creator)

    @pytest.mark.rule("events.E24")
    def test_is_left_out_where_a_topic_says_so(self, enrollment):
        COURSE_ENROLLMENT_CREATED.send_event(enrollment=enrollment)
        payloads = {row.topic: bytes(row.payload) for row in OutboxEvent.objects.all()}
        decoded = {topic: decode(COURSE_ENROLLMENT_CREATED, raw)["enrollment"] for topic, raw in payloads.items()}
        nobody = UserPersonalData("", "", "")
        assert decoded["plain"] == enrollment
        assert decoded["bare"] == attrs.evolve(
            enrollment,
            user=attrs.evolve(USER, pii=nobody),
            created_by=attrs.evolve(enrollment.created_by, pii=nobody),
        )
        assert b"arker" not in payloads["bare"]

    def test_subject_is_the_user_whom_the_event_is_about(self, enrollment):
        COURSE_ENROLLMENT_CREATED.send_event(enrollment=enrollment)
        assert set(OutboxEvent.objects.values_list("subject_user_id", flat=True)) == {7}

    def test_subject_of_an_exam_attempt_is_the_student(self):
        usage_key = UsageKey.from_string("block-v1:Org+C101+2024+type@problem+block@abc")
        attempt = ExamAttemptData(USER, self.COURSE.course_key, usage_key, "proctored", attrs.evolve(USER, id=8))
        assert subject_of(EXAM_ATTEMPT_RESET, {"exam_attempt": attempt}) == 7

    def test_parcel_has_no_subject(self, parcels_leave):
        send(parcels_leave)
        assert OutboxEvent.objects.get().subject_user_id is None

    def test_forgetting_deletes_what_is_over_and_marks_what_waits(self, enrollment):
        for _ in range(3):
            COURSE_ENROLLMENT_CREATED.send_event(enrollment=enrollment)
        sent, dead, *waiting = OutboxEvent.objects.oldest_first()
        OutboxEvent.objects.filter(id=sent.id).update(state="sent", lane=None, sent_at=sent.created)
        OutboxEvent.objects.filter(id=dead.id).update(state="dead", lane=None)
        other = OutboxEvent.objects.filter(id=waiting[-1].id)
        other.update(subject_user_id=9)
        assert forget_subject(7) == 5
        left = list(OutboxEvent.objects.oldest_first().values_list("id", "delete_once_sent"))
        assert left == [(row.id, True) for row in waiting[:-1]] + [(waiting[-1].id, False)]
        assert forget_subject(7) == 3, "again those that wait"


def test_producer_is_made_once(settings, parcels_leave):
    assert get_producer() is get_producer()
