"""What providers and staff decide (credit contract 7.6, D3)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from coursecredit.errors import Conflict, NotFound
from credit import api
from credit.exceptions import CreditRequestNotFound, InvalidCreditStatus, StaleCreditDecision
from credit.models import CreditAudit, CreditRequest
from events.credit.signals import CREDIT_REQUEST_APPROVED, CREDIT_REQUEST_REJECTED
from events.testing import captured_events
from tests.credit.factories import CreditProviderFactory, CreditRequestFactory
from tests.enrollment.factories import UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = int(NOW.timestamp())


@pytest.fixture
def request_of_ron(ron, potions, hogwarts):
    with time_machine.travel(NOW - timedelta(days=1), tick=False):
        return CreditRequestFactory(username="ron", course=potions, provider=hogwarts)


@pytest.fixture(autouse=True)
def _noon(request_of_ron):
    with time_machine.travel(NOW, tick=False):
        yield


def callback(request, status, timestamp=T):
    api.record_provider_decision(request.uuid, "hogwarts", status, timestamp=timestamp)
    request.refresh_from_db()


def correct(request, status):
    api.update_credit_request_status(request.uuid, "hogwarts", status)
    request.refresh_from_db()


@pytest.mark.parametrize("decide", [callback, correct])
class TestBothWays:
    @pytest.mark.parametrize("status", ["approved", "rejected"])
    def test_a_pending_request_is_decided(self, request_of_ron, decide, status):
        decide(request_of_ron, status)
        assert (request_of_ron.status, request_of_ron.modified) == (status, NOW)
        assert request_of_ron.last_callback_timestamp == T

    @pytest.mark.parametrize("status", ["approved", "rejected"])
    def test_the_same_again_changes_and_tells_nothing(self, request_of_ron, decide, status):
        decide(request_of_ron, status)
        before = CreditRequest.objects.values().get()
        with time_machine.travel(NOW + timedelta(days=1), tick=False), captured_events() as events:
            decide(request_of_ron, status)
        assert CreditRequest.objects.values().get() == before
        assert not events
        assert CreditAudit.objects.count() == 1

    @pytest.mark.rule("credit.decision.words")
    @pytest.mark.parametrize("status", ["pending", "", "APPROVED", "lost", None])
    def test_only_two_words_are_decisions(self, request_of_ron, decide, status):
        with pytest.raises(InvalidCreditStatus):
            decide(request_of_ron, status)
        request_of_ron.refresh_from_db()
        assert request_of_ron.status == "pending"

    @pytest.mark.rule("credit.decision.words")
    def test_the_word_is_checked_first(self, request_of_ron, decide):
        with pytest.raises(InvalidCreditStatus):
            decide(CreditRequestFactory(), "pending")

    @pytest.mark.rule("credit.decision.own-requests")
    def test_a_provider_decides_only_on_its_own_requests(self, decide):
        other = CreditRequestFactory(provider=CreditProviderFactory(provider_id="beauxbatons"))
        with pytest.raises(CreditRequestNotFound) as caught:
            decide(other, "approved")
        assert isinstance(caught.value, NotFound)
        other.refresh_from_db()
        assert other.status == "pending"

    def test_an_unknown_request_is_not_found(self, decide):
        with pytest.raises(CreditRequestNotFound):
            decide(CreditRequestFactory.build(uuid="0" * 32), "approved")

    @pytest.mark.parametrize(
        ("status", "signal"), [("approved", CREDIT_REQUEST_APPROVED), ("rejected", CREDIT_REQUEST_REJECTED)]
    )
    def test_it_is_told(self, request_of_ron, ron, potions, decide, status, signal):
        with captured_events() as events:
            decide(request_of_ron, status)
        [event] = events
        data = event.data["credit_request"]
        assert (event.signal, event.metadata.time) == (signal, NOW)
        assert (data.uuid, data.user.id, data.provider_id) == (request_of_ron.uuid, ron.pk, "hogwarts")
        assert (data.previous_status, data.status) == ("pending", status)
        assert (data.created, data.modified) == (request_of_ron.created, NOW)
        assert data.course.course_key == potions.course_key

    @pytest.mark.rule("credit.events.no-account")
    def test_a_retired_learners_request_is_decided_and_audited_but_not_told(self, request_of_ron, decide, caplog):
        CreditRequest.objects.update(username="retired__1")
        with captured_events() as events:
            decide(request_of_ron, "approved")
        assert request_of_ron.status == "approved"
        assert not events
        assert CreditAudit.objects.get().username == "retired__1"
        [record] = caplog.records
        assert (record.levelname, str(request_of_ron.pk) in record.getMessage()) == ("WARNING", True)
        assert "retired__1" not in record.getMessage()


@pytest.mark.rule("credit.decision.correction")
class TestCorrections:
    @pytest.mark.parametrize(("first", "second"), [("approved", "rejected"), ("rejected", "approved")])
    @pytest.mark.parametrize(("later", "accepted"), [(1, True), (0, False), (-1, False)])
    def test_a_callback_corrects_only_if_it_is_newer(self, request_of_ron, first, second, later, accepted):
        callback(request_of_ron, first, T)
        if accepted:
            callback(request_of_ron, second, T + later)
        else:
            with pytest.raises(StaleCreditDecision) as caught:
                callback(request_of_ron, second, T + later)
            assert isinstance(caught.value, Conflict)
        request_of_ron.refresh_from_db()
        expected = (second, T + later) if accepted else (first, T)
        assert (request_of_ron.status, request_of_ron.last_callback_timestamp) == expected

    def test_a_correction_tells_what_was_before(self, request_of_ron):
        callback(request_of_ron, "approved")
        with captured_events() as events:
            callback(request_of_ron, "rejected", T + 1)
        [event] = events
        assert event.data["credit_request"].previous_status == "approved"

    @pytest.mark.rule("credit.decision.greatest-timestamp")
    @pytest.mark.parametrize(
        ("repeat", "greatest"),
        [
            pytest.param(T + 100, T + 100, id="a newer repeat counts"),
            pytest.param(T - 100, T, id="an older repeat does not"),
        ],
    )
    def test_repeats_count_for_the_greatest_timestamp(self, request_of_ron, repeat, greatest):
        callback(request_of_ron, "approved", T)
        modified = request_of_ron.modified
        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            callback(request_of_ron, "approved", repeat)
        assert (request_of_ron.last_callback_timestamp, request_of_ron.modified) == (greatest, modified)
        with pytest.raises(StaleCreditDecision):
            callback(request_of_ron, "rejected", greatest)
        callback(request_of_ron, "rejected", greatest + 1)
        assert request_of_ron.status == "rejected"

    def test_a_request_decided_before_timestamps_were_kept_takes_any(self, request_of_ron):
        CreditRequest.objects.update(status="approved")
        callback(request_of_ron, "rejected", 1)
        assert request_of_ron.status == "rejected"

    @pytest.mark.rule("credit.decision.trusted")
    @pytest.mark.parametrize(("first", "second"), [("approved", "rejected"), ("rejected", "approved")])
    def test_trusted_callers_may_always_correct(self, request_of_ron, first, second):
        callback(request_of_ron, first, T - 60)
        correct(request_of_ron, second)
        assert (request_of_ron.status, request_of_ron.last_callback_timestamp) == (second, T)

    @pytest.mark.rule("credit.decision.trusted")
    def test_callbacks_made_before_a_trusted_correction_do_not_undo_it(self, request_of_ron):
        callback(request_of_ron, "approved", T + 300)  # the provider's clock is fast
        correct(request_of_ron, "rejected")
        with pytest.raises(StaleCreditDecision):
            callback(request_of_ron, "approved", T + 300)
        callback(request_of_ron, "approved", T + 301)
        assert request_of_ron.status == "approved"


def test_inactive_providers_without_integration_may_still_decide(request_of_ron, hogwarts):
    hogwarts.active = hogwarts.enable_integration = False
    hogwarts.save()
    callback(request_of_ron, "approved")
    assert request_of_ron.status == "approved"


def test_a_deactivated_learner_is_told_as_such(request_of_ron, ron):
    ron.is_active = False
    ron.save()
    UserFactory()
    with captured_events() as events:
        callback(request_of_ron, "approved")
    assert not events[0].data["credit_request"].user.is_active
