"""The log of what staff did in Django's admin, which quotes the names of people."""

import json
import re
from collections.abc import Iterable

from django.apps import apps
from django.db.models import Q


def forget_in_staff_log(names: Iterable[str], replacement: str) -> int:
    """Replace the names of a person, wherever they stand as whole words; return how many entries named them."""
    if not apps.is_installed("django.contrib.admin"):
        return 0
    from django.contrib.admin.models import LogEntry

    # A change is told in JSON, which writes letters beyond ASCII in another way.
    spellings = {spelling for name in names if name for spelling in (name, json.dumps(name)[1:-1])}
    if not spellings:
        return 0
    longest_first = "|".join(re.escape(spelling) for spelling in sorted(spellings, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w.@+-])(?:{longest_first})(?!\.?[\w@+-])")
    mentioned = Q()
    for spelling in spellings:
        mentioned |= Q(object_repr__contains=spelling) | Q(change_message__contains=spelling)

    count = 0
    for entry in LogEntry.objects.filter(mentioned).order_by("pk").iterator():
        object_repr = pattern.sub(replacement, entry.object_repr)[:200]
        change_message = pattern.sub(replacement, entry.change_message)
        if (object_repr, change_message) != (entry.object_repr, entry.change_message):
            LogEntry.objects.filter(pk=entry.pk).update(object_repr=object_repr, change_message=change_message)
            count += 1
    return count
