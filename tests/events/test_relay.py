"""How the relay takes rows to the bus: order, refusals, pauses, leases (events contract 15, 0.4, 0.10)."""

import io
import json
import logging
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from events import leases, relay
from events.api import forget_subject, send_events
from events.avro import encode
from events.bus.memory import MemoryProducer
from events.choices import OutboxState
from events.data import EventsMetadata
from events.headers import entry_fields
from events.models import OutboxEvent
from events.tasks import purge_outbox, relay_outbox
from tests.events.outboxes import TYPE, bus, send
from tests.events.parcels import PARCEL, Parcel
from tests.support import in_parallel, statements

COMMITTING = pytest.mark.django_db(transaction=True)
pytestmark = [pytest.mark.django_db, pytest.mark.rule("events.relay")]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch, parcels_leave):
    """Let what was refused be due again at once, unless a test says otherwise."""
    monkeypatch.setattr(leases.random, "uniform", lambda low, high: 0.0)


@pytest.fixture
def write(parcels_leave):
    """Write events of one key each: `write(1, 1, 2)`; labels count up, so order can be told."""
    labels = iter(range(10_000))

    def write(*keys):
        for key in keys:
            parcels_leave.send_event(parcel=Parcel(f"{next(labels):04}"), attempt=key)

    return write


def arrived(signal=None):
    """Return the key and label of each entry on the bus."""
    return [(entry.key, bytes(dict(entry.fields)["event_data"])[1:5].decode()) for entry in bus().entries]


def labels_of(key):
    return [label for one, label in arrived() if one == str(key)]


def states():
    return list(OutboxEvent.objects.oldest_first().values_list("state", flat=True))


def test_entry_is_what_the_metadata_say(parcels_leave):
    send(parcels_leave, attempt=2)
    relay.relay_due()
    row = OutboxEvent.objects.get()
    metadata = EventsMetadata(
        event_type=TYPE,
        id=row.event_id,
        source=row.source,
        sourcehost=row.sourcehost,
        time=row.time,
        sourcelib=tuple(map(int, row.sourcelib.split("."))),
    )
    payload = encode(parcels_leave, {"parcel": PARCEL, "attempt": 2})
    assert list(bus().entries[0].fields) == entry_fields(metadata, payload)


def test_extra_fields_follow_if_so_wished(settings, parcels_leave):
    settings.EVENT_BUS_REDIS_EXTRA_FIELDS = True
    send(parcels_leave, attempt=2)
    relay.relay_due()
    extra = [("specversion", "1.0"), ("datacontenttype", "application/avro"), ("eventkey", "2")]
    assert list(bus().entries[0].fields)[8:] == extra


@pytest.mark.parametrize("batch", [1, 2, 3, 200])
def test_everything_arrives_once_and_in_order_per_key(write, batch):
    write(1, 2, 1, 3, 2, 1, 1, 1)
    assert relay.relay_due(batch=batch) == 8
    assert sorted(arrived()) == sorted(zip("12132111", (f"{n:04}" for n in range(8)), strict=True))
    for key in (1, 2, 3):
        assert labels_of(key) == sorted(labels_of(key))
    assert relay.relay_due(batch=batch) == 0


def test_what_was_sent_is_marked(write):
    write(1)
    relay.relay_due()
    [row] = OutboxEvent.objects.sent()
    assert (row.state, row.lane, row.broker_id, row.locked_by, row.attempts) == ("sent", None, "1-0", "", 0)
    assert row.sent_at is not None


def test_lower_id_that_was_committed_late_is_sent(write):
    write(1, 1)
    late = OutboxEvent.objects.oldest_first().first()
    OutboxEvent.objects.filter(id=late.id).update(id=late.id + 1_000)
    relay.relay_due()
    OutboxEvent.objects.filter(id=late.id + 1_000).update(id=late.id, state="pending", lane=late.lane, sent_at=None)
    assert relay.relay_due() == 1


class TestRefusedRow:
    """A row that the bus refuses for itself is tried again, then given up; its key waits for it meanwhile."""

    @pytest.fixture
    def refuse(self):
        def refuse(*labels):
            texts = [label.encode() for label in labels]
            bus().refuses = lambda entry: any(text in dict(entry.fields)["event_data"] for text in texts)

        return refuse

    def test_holds_up_its_key_and_no_other(self, write, refuse):
        write(1, 1, 2, 1)
        refuse("0001")
        assert relay.Relay().step().sent == 2
        assert (labels_of(1), labels_of(2)) == (["0000"], ["0002"])
        assert states() == ["sent", "pending", "sent", "pending"]
        refused, waiting = OutboxEvent.objects.pending().oldest_first()
        assert (refused.attempts, refused.last_error, waiting.attempts) == (1, "refused", 0)

    def test_goes_first_when_it_is_taken_at_last(self, write, refuse):
        write(1, 1, 1)
        refuse("0000")
        relay.Relay().step()
        refuse()
        relay.relay_due()
        assert labels_of(1) == ["0000", "0001", "0002"]

    def test_waits_longer_each_time(self, write, refuse, monkeypatch):
        limits = []
        monkeypatch.setattr(leases.random, "uniform", lambda low, high: limits.append((low, high)) or 0.0)
        write(1)
        refuse("0000")
        OutboxEvent.objects.update(attempts=0)
        one = relay.Relay()
        for attempts in range(1, 12):
            OutboxEvent.objects.update(attempts=attempts - 1, state="pending", lane=1)
            one.step()
        assert limits == [(0, limit) for limit in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300)]

    def test_is_not_tried_before_its_time(self, write, refuse, monkeypatch):
        monkeypatch.setattr(leases.random, "uniform", lambda low, high: high)
        write(1, 1)
        refuse("0000")
        relay.relay_due()
        refuse()
        assert (relay.relay_due(), arrived()) == (0, [])

    def test_is_given_up_in_the_end_and_the_gap_is_logged(self, settings, write, refuse, caplog):
        settings.EVENTS_OUTBOX_MAX_ATTEMPTS = 3
        write(1, 1)
        refuse("0000")
        relay.relay_due()
        assert states() == ["dead", "sent"]
        assert OutboxEvent.objects.dead().get().attempts == 3
        assert "is given up" in caplog.text
        assert "leaves a gap" in caplog.text

    def test_can_be_sent_again_by_command(self, settings, write, refuse):
        settings.EVENTS_OUTBOX_MAX_ATTEMPTS = 1
        write(1, 2)
        refuse("0000", "0001")
        relay.relay_due()
        refuse()
        first, second = OutboxEvent.objects.oldest_first()
        call_command("retry_outbox", str(first.id), stdout=io.StringIO())
        relay.relay_due()
        assert states() == ["sent", "dead"]
        call_command("retry_outbox", "--all-dead", stdout=io.StringIO())
        relay.relay_due()
        assert states() == ["sent", "sent"]
        with pytest.raises(CommandError, match="1 of these rows"):
            call_command("retry_outbox", str(second.id), stdout=io.StringIO())

    @pytest.mark.parametrize("arguments", [[], ["1", "--all-dead"]])
    def test_must_be_named_one_way(self, arguments):
        with pytest.raises(CommandError, match="--all-dead"):
            call_command("retry_outbox", *arguments)

    def test_without_payload_is_never_sent(self, write):
        write(1)
        OutboxEvent.objects.update(state="dead", lane=None, payload=None)
        assert relay.retry() == 0


class TestBusThatIsAway:
    """Says nothing about any row: nothing is counted, everything waits."""

    def test_counts_against_no_row(self, write):
        write(1, 2)
        bus().is_down = True
        assert relay.Relay().step().unavailable == "down"
        assert set(OutboxEvent.objects.values_list("state", "attempts", "locked_by")) == {("pending", 0, "")}

    def test_everything_flows_when_it_is_back(self, write):
        write(1, 2, 1)
        bus().is_down = True
        one = relay.Relay()
        one.step()
        bus().is_down = False
        assert one.step().sent == 3

    def test_command_says_so_and_fails(self, write):
        write(1)
        bus().is_down = True
        with pytest.raises(CommandError, match="takes nothing"):
            call_command("relay_outbox", "--once")

    def test_task_says_so_and_does_not_fail(self, write, caplog):
        write(1)
        bus().is_down = True
        relay_outbox()
        assert "takes nothing" in caplog.text

    @COMMITTING
    def test_running_relay_pauses_and_goes_on(self, write, caplog):
        caplog.set_level(logging.WARNING)
        write(1)
        bus().is_down = True
        stop = Event()
        thread = Thread(target=_run, args=(stop,))
        thread.start()
        while "The relay pauses" not in caplog.text:
            pass
        bus().is_down = False
        while not bus().entries:
            pass
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()
        assert labels_of(1) == ["0000"]

    def test_bug_of_the_bus_gives_the_leases_back(self, write, monkeypatch):
        write(1)
        monkeypatch.setattr(MemoryProducer, "publish", lambda self, entries: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            relay.Relay().step()
        assert OutboxEvent.objects.get().locked_by == ""


def _run(stop):
    try:
        relay.relay_until(stop)
    finally:
        connections.close_all()


class TestLease:
    """Whoever works on a key has it alone, until the lease ends."""

    def test_keeps_others_off_the_whole_key(self, write):
        write(1, 1, 2)
        mine, other = leases.lessee("default"), leases.lessee("default")
        claim = mine.claim(1)
        assert [row.key for row in claim.rows + other.claim(10).rows] in (["1", "2"], ["2", "1", "1"])
        assert other.claim(10).rows == []

    def test_ends(self, settings, write):
        write(1)
        settings.EVENTS_OUTBOX_LEASE_SECONDS = 0
        leases.lessee("default").claim(10)
        assert relay.relay_due() == 1

    def test_stands_on_the_first_row_and_costs_no_more_for_a_long_queue(self, write):
        write(*[1] * 5)
        leases.lessee("default").claim(2)
        assert OutboxEvent.objects.filter(locked_until__isnull=False).count() == 1

    def test_keeps_off_what_is_behind_it_when_a_lower_id_comes_late(self, write):
        write(1, 1, 1)
        late = OutboxEvent.objects.oldest_first().first()
        OutboxEvent.objects.filter(id=late.id).update(state="dead", lane=None)
        claimed = leases.lessee("default").claim(1)
        OutboxEvent.objects.filter(id=late.id).update(state="pending", lane=late.lane)
        other = leases.lessee("default").claim(10)
        assert [row.id for row in other.rows] == [late.id]
        assert claimed.rows[0].id > late.id

    @COMMITTING
    @pytest.mark.database("postgresql", "mysql")  # SQLite's in-memory tables cannot be shared by threads like this
    @pytest.mark.parametrize("relays", [2, 4])
    def test_claims_at_the_same_time_do_not_overlap(self, write, relays):
        write(*range(20), *range(20))

        def claim():
            one = leases.lessee("default")
            return [row.id for _ in range(6) for row in one.claim(7).rows]

        claims = in_parallel(*[claim] * relays)
        assert all(isinstance(ids, list) for ids in claims), claims
        claimed = [id for ids in claims for id in ids]
        assert len(claimed) == len(set(claimed))


class TestForgottenSubject:
    def test_pending_row_is_sent_and_then_deleted(self, write):
        write(1, 1)
        OutboxEvent.objects.update(subject_user_id=7)
        forget_subject(7)
        assert relay.relay_due() == 2
        assert (len(arrived()), OutboxEvent.objects.count()) == (2, 0)

    def test_also_if_it_is_forgotten_while_it_is_being_sent(self, write, monkeypatch):
        write(1, 2)
        OutboxEvent.objects.filter(key="1").update(subject_user_id=7)
        publish = MemoryProducer.publish

        def forget_then_publish(self, entries):
            forget_subject(7)
            return publish(self, entries)

        monkeypatch.setattr(MemoryProducer, "publish", forget_then_publish)
        relay.relay_due()
        assert list(OutboxEvent.objects.values_list("key", "state")) == [("2", "sent")]

    def test_also_if_it_is_sent_again_while_it_is_being_forgotten(self, write):
        write(1)
        OutboxEvent.objects.update(subject_user_id=7, state=OutboxState.DEAD, lane=None)

        def retry_before(execute, sql, params, many, context):
            if sql.startswith("DELETE"):
                relay.retry()
            return execute(sql, params, many, context)

        with connection.execute_wrapper(retry_before):
            assert forget_subject(7) == 1
        assert relay.relay_due() == 1
        assert not OutboxEvent.objects.exists()

    def test_row_that_is_given_up_is_deleted(self, settings, write):
        settings.EVENTS_OUTBOX_MAX_ATTEMPTS = 1
        write(1)
        OutboxEvent.objects.update(subject_user_id=7)
        forget_subject(7)
        bus().refuses = lambda entry: True
        relay.relay_due()
        assert not OutboxEvent.objects.exists()


class TestUpkeep:
    def test_purge_deletes_what_was_sent_long_ago_only(self, write):
        write(1, 2, 3, 4)
        old, new, dead, pending = OutboxEvent.objects.oldest_first().values_list("id", flat=True)
        now = timezone.now()
        rows = OutboxEvent.objects
        rows.update(created=now - timedelta(days=30))
        rows.filter(id=old).update(state="sent", lane=None, sent_at=now - timedelta(days=8))
        rows.filter(id=new).update(state="sent", lane=None, sent_at=now - timedelta(days=6))
        rows.filter(id=dead).update(state="dead", lane=None)
        purge_outbox()
        assert set(rows.values_list("id", flat=True)) == {new, dead, pending}
        call_command("purge_outbox", "--days", "5", stdout=io.StringIO())
        assert set(rows.values_list("id", flat=True)) == {dead, pending}

    @pytest.mark.parametrize("days", ["-1", "99999999"])
    def test_purge_refuses_absurd_days(self, days):
        with pytest.raises(CommandError, match="--days"):
            call_command("purge_outbox", "--days", days)

    def test_status_for_programs(self, write, django_assert_max_num_queries):
        write(1, 1, 1, 2, 3, 4)
        now = timezone.now()
        rows = OutboxEvent.objects
        rows.filter(key="1").update(attempts=2, created=now - timedelta(seconds=90))
        rows.filter(key="3").update(state="dead", lane=None)
        rows.filter(key="4").update(state="sent", lane=None, sent_at=now)
        out = io.StringIO()
        with django_assert_max_num_queries(5):
            call_command("outbox_status", "--json", stdout=out)
        status = json.loads(out.getvalue())
        assert 90 <= status.pop("oldest_pending_seconds") < 200
        assert status == {"pending": 4, "sent_per_minute": 1, "retries": 6, "dead": 1, "largest_key_backlog": 3}

    def test_status_of_an_empty_outbox(self):
        out = io.StringIO()
        call_command("outbox_status", stdout=out)
        assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["0"] * 6


class TestCommand:
    def test_once_sends_what_is_due(self, write):
        write(1, 2)
        out = io.StringIO()
        call_command("relay_outbox", "--once", "--batch", "1", stdout=out)
        assert (out.getvalue(), len(arrived())) == ("2 sent.\n", 2)

    def test_without_a_bus_it_fails(self, settings):
        settings.EVENT_BUS_PRODUCER = None
        with pytest.raises(CommandError, match="EVENT_BUS_PRODUCER"):
            call_command("relay_outbox", "--once")
        relay_outbox()  # the task has nothing to do then

    @pytest.mark.parametrize("batch", ["-1", "0", "10001"])
    def test_impossible_batches_are_refused(self, batch):
        with pytest.raises(CommandError, match="--batch must be a number from 1 to 10000"):
            call_command("relay_outbox", "--batch", batch)

    @pytest.mark.database("sqlite")  # which takes the fewest parameters
    def test_greatest_batch_is_sent_at_once(self, parcels_leave):
        send_events((parcels_leave, {"parcel": PARCEL, "attempt": number}) for number in range(10_001))
        assert relay.Relay(batch=10_000).step().sent == 10_000
        assert states().count("sent") == 10_000


@pytest.mark.database("postgresql")
def test_step_costs_the_same_whatever_is_waiting(write):
    def cost():
        one = relay.Relay(batch=2)
        one._lessee._after = -(2**63)
        with statements() as run:
            assert one.step().sent == 2
        return len(run)

    write(*[1] * 4)
    few = cost()
    write(*[1] * 40)
    assert cost() == few == 3


def test_no_payload_is_logged(write, caplog, settings):
    caplog.set_level(logging.DEBUG)
    settings.EVENTS_OUTBOX_MAX_ATTEMPTS = 2
    write(1, 2)
    bus().refuses = lambda entry: True
    relay.relay_due()
    bus().refuses = lambda entry: False
    relay.retry()
    relay.relay_due()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("events")]
    assert ours
    assert not any("0000" in line or "0001" in line for line in ours)


@COMMITTING
def test_no_transaction_is_open_while_the_bus_is_asked(write, monkeypatch):
    write(1)
    seen = []
    publish = MemoryProducer.publish
    monkeypatch.setattr(
        MemoryProducer,
        "publish",
        lambda self, entries: seen.append(connection.in_atomic_block) or publish(self, entries),
    )
    relay.relay_due()
    assert seen == [False]


@COMMITTING
def test_relays_share_the_work_of_a_transaction_that_is_still_open(parcels_leave, write):
    write(1)
    with transaction.atomic():
        send(parcels_leave, attempt=1)
        [count] = in_parallel(relay.relay_due) if connection.vendor != "sqlite" else [1]
        assert count == 1
