"""Invitations that staff make and withdraw: `enrollment.api`."""

import pytest
from django.db import transaction

from enrollment import api
from enrollment.errors import InvalidCourseKeyError, InvalidEmail, InvitationExists, InvitationNotFound
from enrollment.models import CourseEnrollmentAllowed, ManualEnrollmentAudit
from tests.enrollment.factories import CourseEnrollmentAllowedFactory, UserFactory
from tests.support import in_parallel

KEY = "course-v1:edX+DemoX+2026_T1"
EMAIL = "Eve@Example.com"


def audits():
    return list(
        ManualEnrollmentAudit.objects.order_by("pk").values_list("state_transition", "enrolled_email", "enrolled_by")
    )


@pytest.mark.django_db
@pytest.mark.rule("enrollment.invitations.staff")
class TestCreate:
    def test_answers_and_stores_what_was_given(self):
        staff = UserFactory()

        invitation = api.create_invitation(EMAIL, KEY, auto_enroll=True, requested_by=staff.pk)

        row = CourseEnrollmentAllowed.objects.get()
        assert invitation == {
            "email": EMAIL,
            "course_id": KEY,
            "auto_enroll": True,
            "created": row.created,
            "user": None,
        }
        assert (row.email, row.email_lower, row.course_id, row.auto_enroll) == (EMAIL, EMAIL.lower(), KEY, True)
        assert audits() == [("from unenrolled to allowed to enroll", EMAIL, staff.pk)]

    @pytest.mark.parametrize("email", [EMAIL, EMAIL.lower(), EMAIL.upper()])
    def test_an_address_is_invited_once_however_it_is_written(self, email):
        CourseEnrollmentAllowedFactory(email=EMAIL, course_id=KEY)
        with pytest.raises(InvitationExists):
            api.create_invitation(email, KEY, requested_by=None)
        assert audits() == []

    def test_the_conflict_leaves_the_callers_transaction_usable(self):
        CourseEnrollmentAllowedFactory(email=EMAIL, course_id=KEY)
        with transaction.atomic():
            with pytest.raises(InvitationExists):
                api.create_invitation(EMAIL, KEY, requested_by=None)
            api.create_invitation("mallory@example.com", KEY, requested_by=None)
        assert CourseEnrollmentAllowed.objects.count() == 2

    def test_to_another_course_is_another_invitation(self):
        for course_id in (KEY, f"{KEY}b"):
            api.create_invitation(EMAIL, course_id, requested_by=None)
        assert [row["course_id"] for row in api.list_invitations(EMAIL.lower())] == [KEY, f"{KEY}b"]

    @pytest.mark.parametrize(
        "email",
        ["", "eve", "eve@", "@example.com", " eve@example.com", "a@b.com,c@d.com", f"{'x' * 250}@b.com", None, 7],
    )
    def test_malformed_addresses_are_refused(self, email):
        with pytest.raises(InvalidEmail):
            api.create_invitation(email, KEY, requested_by=None)
        assert not CourseEnrollmentAllowed.objects.exists()

    def test_an_address_has_to_fit_in_lower_case_too(self):
        """The dotted capital I becomes two characters."""
        with pytest.raises(InvalidEmail):
            api.create_invitation(f"eve@{'İ' * 60}.{'İ' * 60}.{'İ' * 60}.com", KEY, requested_by=None)

    def test_the_course_need_not_be_known_but_its_key_well_formed(self):
        with pytest.raises(InvalidCourseKeyError):
            api.create_invitation(EMAIL, "DemoX", requested_by=None)

    def test_history_tells_of_the_audit(self):
        api.create_invitation(EMAIL, KEY, requested_by=None)
        assert ManualEnrollmentAudit.objects.get().history.count() == 1


@pytest.mark.django_db
@pytest.mark.rule("enrollment.invitations.staff")
class TestDelete:
    def test_removes_the_row_and_records_who_did(self):
        staff = UserFactory()
        CourseEnrollmentAllowedFactory(email=EMAIL, course_id=KEY)
        kept = CourseEnrollmentAllowedFactory(email=EMAIL, course_id=f"{KEY}b")

        api.delete_invitation(EMAIL.upper(), KEY, requested_by=staff.pk)

        assert CourseEnrollmentAllowed.objects.get() == kept
        assert audits() == [("from allowed to enroll to unenrolled", EMAIL, staff.pk)]

    def test_the_second_time_there_is_none(self):
        CourseEnrollmentAllowedFactory(email=EMAIL, course_id=KEY)
        api.delete_invitation(EMAIL, KEY, requested_by=None)
        with pytest.raises(InvitationNotFound):
            api.delete_invitation(EMAIL, KEY, requested_by=None)
        assert len(audits()) == 1

    @pytest.mark.parametrize("email", ["", "eve", "mallory@example.com"])
    def test_whoever_is_not_invited(self, email):
        CourseEnrollmentAllowedFactory(email=EMAIL, course_id=KEY)
        with pytest.raises(InvitationNotFound):
            api.delete_invitation(email, KEY, requested_by=None)

    def test_no_course_key(self):
        with pytest.raises(InvalidCourseKeyError):
            api.delete_invitation(EMAIL, "DemoX", requested_by=None)


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["", "mallory@example.com"])
def test_nobody_else_s_invitations_are_listed(email):
    CourseEnrollmentAllowedFactory(email=EMAIL, course_id=KEY)
    assert api.list_invitations(email) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.database("postgresql", "mysql")
def test_of_two_at_once_one_invites_and_one_withdraws():
    def create():
        return api.create_invitation(EMAIL, KEY, requested_by=None)

    def delete():
        api.delete_invitation(EMAIL, KEY, requested_by=None)

    assert sorted(type(answer).__name__ for answer in in_parallel(create, create)) == ["InvitationExists", "dict"]
    assert sorted(type(answer).__name__ for answer in in_parallel(delete, delete)) == ["InvitationNotFound", "NoneType"]
    assert len(audits()) == 2
