"""Members of staff at enrollment's pages."""

from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.urls import reverse

from tests.enrollment.factories import UserFactory


def boss(client):
    """Return the client, logged in as somebody who may do everything."""
    client.force_login(UserFactory(username="boss", is_staff=True, is_superuser=True))
    return client


def clerk(client, *permissions):
    """Log in somebody with these permissions of the enrollment app, and return them."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="enrollment"))
    client.force_login(user)
    return user


def url(model, page="changelist", *args):
    """Return the address of a staff page."""
    return reverse(f"admin:enrollment_{model}_{page}", args=args)


def told(response):
    """Return what the page tells, with the kind of each message."""
    return [(message.level_tag, message.message) for message in get_messages(response.wsgi_request)]


def choose(client, model, action, *rows, **answers):
    """Choose rows in a list, and an action for them; with answers, confirm it at once."""
    confirmed = {"confirmed": "1", **answers} if answers else {}
    return client.post(url(model), {"action": action, "_selected_action": [row.pk for row in rows], **confirmed})
