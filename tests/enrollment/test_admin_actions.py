"""What staff do on their pages goes through the api, with its events, and is on record (enrollment contract 3.6)."""

from datetime import UTC, datetime
from functools import partial

import pytest
from django.contrib.admin.models import LogEntry

from coursecredit.admin import corrections
from enrollment import api, models
from enrollment.choices import StateTransition
from enrollment.errors import EnrollmentNotFoundError, UnenrollmentNotAllowedError
from events.learning.signals import COURSE_ACCESS_ROLE_ADDED, COURSE_ACCESS_ROLE_REMOVED
from events.testing import captured_events
from tests.enrollment import admin as staff
from tests.enrollment.admin import choose, clerk, told, url
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    LearnerProfileFactory,
    UserFactory,
)
from tests.support import in_parallel

pytestmark = pytest.mark.django_db

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
CREATED = "org.openedx.learning.course.enrollment.created.v1"
CHANGED = "org.openedx.learning.course.enrollment.changed.v1"
COMPLETED = "org.openedx.learning.course.unenrollment.completed.v1"
WHY = {"reason": "Asked by the registrar"}


@pytest.fixture
def boss(client):
    return staff.boss(client)


@pytest.fixture
def potions():
    course = CourseFactory(id=POTIONS)
    for slug in ("audit", "verified"):
        CourseModeFactory(course=course, mode_slug=slug)
    return course


def enrolled(course, username, **row):
    return CourseEnrollmentFactory(course=course, user=UserFactory(username=username), **row)


def state(row):
    row.refresh_from_db()
    return row.mode, row.is_active


def audit():
    rows = models.ManualEnrollmentAudit.objects.order_by("pk")
    return list(rows.values_list("state_transition", "enrolled_email", "reason", "enrolled_by__username"))


@pytest.mark.rule("enrollment.admin.actions")
class TestEnrollments:
    @pytest.mark.parametrize(
        ("before", "action", "answers", "after", "transition", "events"),
        [
            pytest.param(
                ("audit", True),
                "deactivate",
                {},
                ("audit", False),
                StateTransition.ENROLLED_TO_UNENROLLED,
                [CHANGED, COMPLETED],
                id="unenroll",
            ),
            pytest.param(
                ("verified", False),
                "activate",
                {},
                ("verified", True),
                StateTransition.UNENROLLED_TO_ENROLLED,
                [CHANGED, CREATED],
                id="enroll again",
            ),
            pytest.param(
                ("audit", True),
                "change_mode",
                {"mode": "verified"},
                ("verified", True),
                StateTransition.ENROLLED_TO_ENROLLED,
                [CHANGED],
                id="another mode",
            ),
            pytest.param(
                ("audit", False),
                "change_mode",
                {"mode": "verified"},
                ("verified", False),
                StateTransition.UNENROLLED_TO_UNENROLLED,
                [CHANGED],
                id="another mode of who has left",
            ),
        ],
    )
    def test_a_change_is_asked_for_made_told_and_recorded(
        self, boss, potions, before, action, answers, after, transition, events
    ):
        row = enrolled(potions, "ron", mode=before[0], is_active=before[1])
        with captured_events() as sent:
            page = choose(boss, "courseenrollment", action, row)
            assert b'name="reason"' in page.content
            page = choose(boss, "courseenrollment", action, row, **answers, reason=" ")
            assert page.context["form"].errors == {"reason": ["This field is required."]}
            assert state(row) == before
            response = choose(boss, "courseenrollment", action, row, **answers, **WHY)
        assert told(response)[-1] == ("success", "1 row was changed.")
        assert state(row) == after
        assert [event.event_type for event in sent] == events
        assert audit() == [(transition, "ron@example.com", "Asked by the registrar", "boss")]

    def test_a_second_time_changes_nothing(self, boss, potions):
        row = enrolled(potions, "ron")
        with captured_events() as sent:
            for action, answers in (("activate", {}), ("change_mode", {"mode": "audit"})):
                response = choose(boss, "courseenrollment", action, row, **answers, **WHY)
                assert told(response)[-1] == ("info", "1 row needed no change.")
        assert (list(sent), audit()) == ([], [])

    def test_one_that_fails_leaves_the_others(self, boss, potions):
        rows = [enrolled(potions, "ron"), enrolled(CourseFactory(), "harry")]
        response = choose(boss, "courseenrollment", "change_mode", *rows, mode="verified", **WHY)
        assert [kind for kind, _text in told(response)] == ["success", "error"]
        assert told(response)[1][1].startswith(f"course enrollment {rows[1].pk}: The verified course mode is expired")
        assert [state(row)[0] for row in rows] == ["verified", "audit"]
        assert len(audit()) == 1

    def test_a_hook_that_keeps_a_learner_is_heard(self, boss, potions, settings):
        settings.ENROLLMENT_PORTS = {"UnenrollHook": ["tests.enrollment.doubles.HoldBack"]}
        row = enrolled(potions, "ron")
        response = choose(boss, "courseenrollment", "deactivate", row, **WHY)
        assert [kind for kind, _text in told(response)] == ["error"]
        assert state(row) == ("audit", True)
        assert audit() == []

    def test_modes_of_its_own_are_offered(self, boss, potions):
        CourseModeFactory(course=potions, mode_slug="owl", min_price=0)
        row = enrolled(potions, "ron")
        page = choose(boss, "courseenrollment", "change_mode", row)
        assert ("owl", "owl") in page.context["form"].fields["mode"].choices
        choose(boss, "courseenrollment", "change_mode", row, mode="owl", **WHY)
        assert state(row) == ("owl", True)

    def test_not_too_many_at_once(self, boss, potions, monkeypatch):
        monkeypatch.setattr(corrections, "MOST_AT_ONCE", 1)
        rows = [enrolled(potions, "ron"), enrolled(potions, "harry")]
        response = choose(boss, "courseenrollment", "deactivate", *rows, **WHY)
        assert told(response) == [("error", "At most 1 rows at once, please.")]
        assert [state(row)[1] for row in rows] == [True, True]

    @pytest.mark.rule("enrollment.admin.permissions")
    @pytest.mark.parametrize("action", ["activate", "deactivate", "change_mode"])
    def test_who_may_only_look_cannot_act(self, client, potions, action):
        row = enrolled(potions, "ron", is_active=action != "activate")
        before = state(row)
        clerk(client, "view_courseenrollment")
        assert f'value="{action}"' not in client.get(url("courseenrollment")).content.decode()
        choose(client, "courseenrollment", action, row, mode="verified", **WHY)
        assert (state(row), audit()) == (before, [])

    @pytest.mark.rule("enrollment.admin.permissions")
    def test_who_may_change_can(self, client, potions):
        row = enrolled(potions, "ron")
        user = clerk(client, "view_courseenrollment", "change_courseenrollment")
        choose(client, "courseenrollment", "deactivate", row, **WHY)
        assert state(row) == ("audit", False)
        assert models.ManualEnrollmentAudit.objects.get().enrolled_by == user


@pytest.mark.rule("enrollment.by_hand")
def test_a_record_and_its_change_are_one(potions, settings):
    settings.ENROLLMENT_PORTS = {"UnenrollHook": ["tests.enrollment.doubles.HoldBack"]}
    row = enrolled(potions, "ron")
    with pytest.raises(UnenrollmentNotAllowedError):
        api.change_enrollment_by_hand("ron", POTIONS, is_active=False, reason="x", changed_by=1)
    assert (state(row), audit()) == (("audit", True), [])


def test_who_is_not_enrolled_is_not_changed(potions):
    with pytest.raises(EnrollmentNotFoundError):
        api.change_enrollment_by_hand("ron", POTIONS, is_active=True, reason="x", changed_by=1)


@pytest.mark.rule("enrollment.admin.roles")
class TestRoles:
    FORM = {"username": "snape", "role": "staff", "course_id": POTIONS, "org": ""}

    @pytest.fixture(autouse=True)
    def snape(self):
        return UserFactory(username="snape")

    def test_staff_give_and_take_back(self, boss, snape):
        with captured_events() as events:
            assert boss.post(url("courseaccessrole", "add"), self.FORM).status_code == 302
            row = models.CourseAccessRole.objects.get()
            assert (row.user, row.org, row.course_id, row.role) == (snape, "HogwartsX", POTIONS, "staff")
            boss.post(url("courseaccessrole", "delete", row.pk), {"post": "yes"})
        assert [event.signal for event in events] == [COURSE_ACCESS_ROLE_ADDED, COURSE_ACCESS_ROLE_REMOVED]
        assert not models.CourseAccessRole.objects.exists()

    def test_several_are_taken_back_at_once(self, boss, snape):
        rows = [CourseAccessRoleFactory(user=snape, course_id=POTIONS, role=role) for role in ("staff", "instructor")]
        rows.append(CourseAccessRoleFactory(user=snape, org="HogwartsX"))
        with captured_events() as events:
            address = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
            boss.post(url("courseaccessrole"), address)
        assert len(events) == 2
        assert not models.CourseAccessRole.objects.exists()

    def test_a_role_on_an_organisation(self, boss):
        boss.post(url("courseaccessrole", "add"), {**self.FORM, "course_id": "", "org": "HogwartsX"})
        row = models.CourseAccessRole.objects.get()
        assert (row.org, row.course_id) == ("HogwartsX", None)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"username": "Snape"}, "username"),
            ({"username": ""}, "username"),
            ({"course_id": "potions"}, "course_id"),
            ({"course_id": ""}, "__all__"),
            ({"org": "HogwartsX"}, "__all__"),
            ({"role": ""}, "role"),
            ({"role": "s" * 65}, "role"),
        ],
    )
    def test_what_is_wrong_is_an_error_of_the_form(self, boss, changes, field):
        response = boss.post(url("courseaccessrole", "add"), {**self.FORM, **changes})
        assert list(response.context["adminform"].form.errors) == [field]
        assert not models.CourseAccessRole.objects.exists()

    def test_one_that_is_held_is_told(self, boss, snape):
        for place in ({"course_id": POTIONS, "org": ""}, {"course_id": "", "org": "HogwartsX"}):
            boss.post(url("courseaccessrole", "add"), {**self.FORM, **place})
            response = boss.post(url("courseaccessrole", "add"), {**self.FORM, **place})
            assert response.context["adminform"].form.non_field_errors() == ["This role is held already."]
        assert models.CourseAccessRole.objects.count() == 2

    def test_what_the_api_refuses_is_told(self, boss):
        response = boss.post(url("courseaccessrole", "add"), {**self.FORM, "course_id": f"course-v1:{'x' * 65}+a+b"})
        assert [kind for kind, _text in told(response)] == ["error"]


@pytest.mark.rule("enrollment.admin.invitations")
class TestInvitations:
    FORM = {"email": "Ron@Example.com", "course_id": POTIONS, "auto_enroll": "on"}

    def test_staff_invite_and_withdraw(self, boss):
        assert boss.post(url("courseenrollmentallowed", "add"), self.FORM).status_code == 302
        row = models.CourseEnrollmentAllowed.objects.get()
        assert (row.email, row.course_id, row.auto_enroll) == ("Ron@Example.com", POTIONS, True)
        boss.post(url("courseenrollmentallowed", "delete", row.pk), {"post": "yes"})
        assert not models.CourseEnrollmentAllowed.objects.exists()
        assert [row[:2] + row[3:] for row in audit()] == [
            (StateTransition.UNENROLLED_TO_ALLOWED, "Ron@Example.com", "boss"),
            (StateTransition.ALLOWED_TO_UNENROLLED, "Ron@Example.com", "boss"),
        ]

    def test_several_are_withdrawn_at_once(self, boss):
        rows = [CourseEnrollmentAllowedFactory(course_id=POTIONS) for _ in range(2)]
        address = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
        boss.post(url("courseenrollmentallowed"), address)
        assert len(audit()) == 2
        assert not models.CourseEnrollmentAllowed.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"email": "ron"}, "email"),
            ({"course_id": "potions"}, "course_id"),
            ({"email": "RON@example.com"}, "__all__"),
        ],
    )
    def test_what_is_wrong_is_an_error_of_the_form(self, boss, changes, field):
        CourseEnrollmentAllowedFactory(email="ron@example.com", course_id=POTIONS)
        response = boss.post(url("courseenrollmentallowed", "add"), {**self.FORM, **changes})
        assert list(response.context["adminform"].form.errors) == [field]
        assert models.CourseEnrollmentAllowed.objects.count() == 1


INLINE = {"modes-TOTAL_FORMS": "1", "modes-INITIAL_FORMS": "0", "modes-0-min_price": "0", "modes-0-currency": "usd"}


@pytest.mark.rule("enrollment.admin.courses")
class TestCourses:
    def test_a_course_is_added_with_a_mode(self, boss):
        response = boss.post(
            url("course", "add"),
            {
                "id": POTIONS,
                "display_name": "Potions",
                "end_0": "2026-12-31",
                "end_1": "12:00:00",
                **INLINE,
                "modes-0-mode_slug": "audit",
                "modes-0-mode_display_name": "Audit",
                "modes-0-currency": "USD",
            },
        )
        assert response.status_code == 302
        details = api.get_course_enrollment_details(POTIONS)
        assert (details["course_name"], details["course_end"]) == ("Potions", datetime(2026, 12, 31, 12, tzinfo=UTC))
        assert [(mode["slug"], mode["currency"]) for mode in details["course_modes"]] == [("audit", "usd")]
        assert models.Course.objects.get().org == "HogwartsX"

    @pytest.mark.parametrize("key", ["", "Potions", "library-v1:A+B", "a+b+c", "course-v1:a+b+" + "c" * 300, "a/b"])
    def test_what_is_no_course_key_is_an_error_of_the_form(self, boss, key):
        response = boss.post(url("course", "add"), {"id": key, **INLINE, "modes-TOTAL_FORMS": "0"})
        assert list(response.context["adminform"].form.errors) == ["id"]

    def test_a_course_is_changed_and_keeps_its_key(self, boss, potions):
        forms = {"modes-TOTAL_FORMS": "0", "modes-INITIAL_FORMS": "0"}
        boss.post(url("course", "change", POTIONS), {"id": "course-v1:a+b+c", "display_name": "Brewing", **forms})
        assert list(models.Course.objects.values_list("id", "display_name")) == [(POTIONS, "Brewing")]

    def test_there_is_one_row_per_course(self, boss, potions):
        response = boss.post(url("course", "add"), {"id": POTIONS, **INLINE, "modes-TOTAL_FORMS": "0"})
        assert response.context["adminform"].form.errors["id"]

    @pytest.mark.parametrize("grade", ["nan", "1.1", "-1"])
    def test_a_minimum_grade_is_a_fraction(self, boss, grade):
        address = {"id": POTIONS, "minimum_grade_credit": grade, **INLINE, "modes-TOTAL_FORMS": "0"}
        response = boss.post(url("course", "add"), address)
        assert list(response.context["adminform"].form.errors) == ["minimum_grade_credit"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            pytest.param({"mode_slug": "executive-education"}, "min_price", id="too cheap"),
            pytest.param(
                {
                    "mode_slug": "professional",
                    "min_price": "9",
                    "expiration_datetime_0": "2026-12-01",
                    "expiration_datetime_1": "12:00",
                },
                "expiration_datetime",
                id="a professional deadline",
            ),
            pytest.param({"min_price": ""}, "min_price", id="no price"),
        ],
    )
    @pytest.mark.parametrize("where", ["course", "coursemode"])
    def test_what_a_mode_may_not_be_is_an_error_of_the_form(self, boss, potions, changes, field, where):
        mode = {"mode_slug": "honor", "mode_display_name": "Honor", "min_price": "0", "currency": "usd", **changes}
        if where == "coursemode":
            response = boss.post(url("coursemode", "add"), {"course": POTIONS, **mode})
            errors = response.context["adminform"].form.errors
        else:
            new = {f"modes-2-{name}": value for name, value in mode.items()}
            rows = potions.modes.order_by("pk")
            known = {f"modes-{n}-id": row.pk for n, row in enumerate(rows)}
            for n, row in enumerate(rows):
                known |= {
                    f"modes-{n}-{name}": getattr(row, name)
                    for name in ("mode_slug", "mode_display_name", "min_price", "currency")
                }
            forms = {"modes-TOTAL_FORMS": "3", "modes-INITIAL_FORMS": "2"}
            response = boss.post(url("course", "change", POTIONS), {**known, **new, **forms})
            errors = response.context["inline_admin_formsets"][0].formset.errors[2]
        assert list(errors) == [field]
        assert potions.modes.count() == 2

    def test_one_offer_per_currency_in_whatever_case(self, boss, potions):
        response = boss.post(
            url("coursemode", "add"),
            {
                "course": POTIONS,
                "mode_slug": "audit",
                "mode_display_name": "x",
                "min_price": "0",
                "currency": "USD",
            },
        )
        assert response.context["adminform"].form.errors
        assert potions.modes.count() == 2

    def test_only_a_deadline_that_staff_set_counts_as_chosen(self, boss, potions):
        mode = potions.modes.get(mode_slug="verified")
        mode.set_expiration(datetime(2026, 12, 1, 12, tzinfo=UTC))
        mode.save()
        form = {"mode_slug": "verified", "mode_display_name": "Verified", "min_price": "60", "currency": "usd"}
        deadline = {"expiration_datetime_0": "2026-12-01", "expiration_datetime_1": "12:00:00"}
        boss.post(url("coursemode", "change", mode.pk), {**form, **deadline})
        mode.refresh_from_db()
        assert (mode.min_price, mode.expiration_datetime_is_explicit) == (60, False)
        boss.post(url("coursemode", "change", mode.pk), {**form, **deadline, "expiration_datetime_0": "2026-12-02"})
        mode.refresh_from_db()
        assert (mode.expiration_datetime.day, mode.expiration_datetime_is_explicit) == (2, True)

    def test_the_history_of_a_mode_is_on_its_page(self, boss, potions):
        mode = potions.modes.get(mode_slug="verified")
        form = {"mode_slug": "verified", "mode_display_name": "Verified", "min_price": "60", "currency": "usd"}
        boss.post(url("coursemode", "change", mode.pk), form)
        page = boss.get(url("coursemode", "change", mode.pk)).content.decode()
        assert "min price: 49 → 60" in page
        assert "<td>boss</td>" in page

    def test_staff_see_at_once_what_clients_see(self, boss, potions, django_capture_on_commit_callbacks):
        assert len(api.get_course_enrollment_details(POTIONS)["course_modes"]) == 2
        rows = [row.pk for row in potions.modes.all()]
        with django_capture_on_commit_callbacks(execute=True):
            address = {"action": "delete_selected", "_selected_action": rows, "post": "yes"}
            boss.post(url("coursemode"), address)
        assert [mode["slug"] for mode in api.get_course_enrollment_details(POTIONS)["course_modes"]] == ["audit"]
        assert models.CourseMode.history.filter(history_type="-").count() == 2

    @pytest.mark.rule("enrollment.admin.kept")
    def test_what_others_refer_to_is_not_deleted(self, boss, potions):
        assert boss.post(url("course", "delete", POTIONS), {"post": "yes"}).status_code == 403
        potions.modes.all().delete()
        CourseEnrollmentFactory(course=potions)
        assert boss.post(url("course", "delete", POTIONS), {"post": "yes"}).status_code == 403
        models.CourseEnrollment.objects.all().delete()
        assert boss.post(url("course", "delete", POTIONS), {"post": "yes"}).status_code == 302


@pytest.mark.rule("enrollment.admin.profiles")
class TestProfiles:
    FORM = {"username": "ron", "name": "Ron", "country": "GB", "language": "es"}

    @pytest.fixture(autouse=True)
    def ron(self):
        return UserFactory(username="ron")

    def test_staff_keep_profiles(self, boss, ron):
        assert boss.post(url("learnerprofile", "add"), self.FORM).status_code == 302
        profile = models.LearnerProfile.objects.get()
        boss.post(url("learnerprofile", "change", profile.pk), {**self.FORM, "username": "boss", "language": "ar"})
        assert api.get_profile(ron.pk).language == "ar"
        assert models.LearnerProfile.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"username": "Ron"}, "username"),
            ({"username": ""}, "username"),
            ({"username": "harry"}, "username"),
            ({"language": "in Spanish"}, "language"),
            ({"country": "GBR"}, "country"),
        ],
    )
    def test_what_is_wrong_is_an_error_of_the_form(self, boss, changes, field):
        LearnerProfileFactory(user__username="harry")
        response = boss.post(url("learnerprofile", "add"), {**self.FORM, **changes})
        assert list(response.context["adminform"].form.errors) == [field]

    def test_django_does_not_log_names(self, boss):
        for model, form in (
            ("learnerprofile", self.FORM),
            ("retirementrequest", {"username": "ron", "state": "PENDING"}),
            ("courseenrollmentallowed", {"email": "ron@example.com", "course_id": POTIONS}),
            ("courseaccessrole", {"username": "ron", "role": "staff", "course_id": POTIONS}),
        ):
            assert boss.post(url(model, "add"), form).status_code == 302
            row = models.__dict__[MODELS[model]].objects.get()
            boss.post(url(model, "change", row.pk), form)
            boss.post(url(model, "delete", row.pk), {"post": "yes"})
        assert LogEntry.objects.count() >= 8
        for entry in LogEntry.objects.all():
            assert "ron" not in entry.object_repr + entry.change_message


MODELS = {
    "learnerprofile": "LearnerProfile",
    "retirementrequest": "RetirementRequest",
    "courseenrollmentallowed": "CourseEnrollmentAllowed",
    "courseaccessrole": "CourseAccessRole",
}


@pytest.mark.rule("enrollment.admin.retirement")
def test_staff_ask_for_a_removal_and_move_it_on(boss):
    UserFactory(username="ron")
    address = url("retirementrequest", "add")
    for username in ("nobody", ""):
        response = boss.post(address, {"username": username, "state": "LOCKING_ACCOUNT"})
        assert list(response.context["adminform"].form.errors) == ["username"]
    boss.post(address, {"username": "ron", "state": "PENDING"})
    row = models.RetirementRequest.objects.get()
    boss.post(url("retirementrequest", "change", row.pk), {"username": "other", "state": "LOCKING_ACCOUNT"})
    row.refresh_from_db()
    assert (row.username, row.state) == ("ron", "LOCKING_ACCOUNT")


def test_anonymous_callers_are_sent_to_log_in(client, potions):
    row = enrolled(potions, "ron")
    response = choose(client, "courseenrollment", "deactivate", row, **WHY)
    assert "/login/" in response["Location"]
    assert state(row) == ("audit", True)


def test_learners_see_nothing(client, potions):
    row = enrolled(potions, "ron")
    client.force_login(UserFactory())
    choose(client, "courseenrollment", "deactivate", row, **WHY)
    assert state(row) == ("audit", True)


@pytest.mark.rule("enrollment.by_hand")
@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
def test_two_members_of_staff_at_once_leave_one_record():
    user, course = UserFactory(), CourseFactory()
    row = CourseEnrollmentFactory(user=user, course=course)
    unenroll = partial(
        api.change_enrollment_by_hand,
        user.username,
        course.id,
        is_active=False,
        reason="x",
        changed_by=UserFactory().pk,
    )
    with captured_events() as events:
        assert sorted(in_parallel(unenroll, unenroll, unenroll)) == [False, False, True]
    assert [event.event_type for event in events] == [CHANGED, COMPLETED]
    assert models.ManualEnrollmentAudit.objects.filter(enrollment=row).count() == 1
