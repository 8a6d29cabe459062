"""The outbox on the staff pages: to be looked at, and to be sent again."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from events.models import OutboxEvent
from tests.events.outboxes import send
from tests.events.parcels import PARCEL
from tests.support import statements

pytestmark = pytest.mark.django_db
LIST = "admin:events_outboxevent_changelist"


@pytest.fixture
def staff(client):
    """Log somebody in with permissions: `staff("view", "change")`."""

    def log_in(*permissions):
        user = get_user_model().objects.create_user("clerk", is_staff=True)
        names = [f"{name}_outboxevent" for name in permissions]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)
        return client

    return log_in


def test_list_costs_the_same_for_any_number_of_rows(parcels_leave, staff):
    client = staff("view")
    send(parcels_leave)
    with statements() as few:
        assert client.get(reverse(LIST)).status_code == 200
    for attempt in range(20):
        send(parcels_leave, attempt=attempt)
    with statements() as many:
        assert client.get(reverse(LIST)).status_code == 200
    assert len(few) == len(many), many


@pytest.mark.parametrize("question", ["state=dead", "event_type=x", "topic=parcels", "q=7"])
def test_list_can_be_narrowed(parcels_leave, staff, question):
    send(parcels_leave)
    assert staff("view").get(f"{reverse(LIST)}?{question}", follow=True).status_code == 200


def test_page_of_a_row_shows_no_payload(parcels_leave, staff):
    send(parcels_leave)
    row = OutboxEvent.objects.get()
    page = staff("view").get(reverse("admin:events_outboxevent_change", args=[row.id])).content.decode()
    assert str(row.event_id) in page
    assert PARCEL.label not in page


@pytest.mark.parametrize(("permissions", "state"), [(["view", "change"], "pending"), (["view"], "dead")])
def test_dead_row_is_sent_again_by_those_who_may(parcels_leave, staff, permissions, state):
    send(parcels_leave)
    OutboxEvent.objects.update(state="dead", lane=None)
    row = OutboxEvent.objects.get()
    data = {"action": "send_again", "_selected_action": [row.id]}
    staff(*permissions).post(reverse(LIST), data)
    row.refresh_from_db()
    assert row.state == state
