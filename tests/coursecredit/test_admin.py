"""Staff pages for rows that rules own."""

import pytest
from django.contrib.admin.sites import AdminSite
from django.contrib.auth.models import Group, User

from coursecredit.admin import ReadOnlyAdmin


@pytest.mark.parametrize("permission", ["add", "change", "delete"])
def test_not_even_a_superuser_edits(rf, permission):
    request = rf.get("/")
    request.user = User(is_superuser=True, is_active=True)
    page = ReadOnlyAdmin(Group, AdminSite())
    assert page.has_view_permission(request)
    assert not getattr(page, f"has_{permission}_permission")(request)
