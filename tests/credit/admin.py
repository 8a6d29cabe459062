"""Members of staff at their pages."""

from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.urls import reverse

from tests.enrollment.factories import UserFactory


def clerk(client, *permissions):
    """Log in somebody with these permissions of the credit app, and return them."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="credit"))
    client.force_login(user)
    return user


def url(model, page="changelist", *args):
    """Return the address of a staff page."""
    return reverse(f"admin:credit_{model}_{page}", args=args)


def told(response):
    """Return what the page tells, with the kind of each message."""
    return [(message.level_tag, message.message) for message in get_messages(response.wsgi_request)]
