"""Staff pages show what they should, find it, and ask the database the same number of questions for any number of rows
(enrollment contract 15; design 6).
"""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from coursecredit.admin.pages import LimitedPaginator
from enrollment import api, models
from enrollment.choices import OptIn, StateTransition
from tests.enrollment import admin as staff
from tests.enrollment.admin import clerk, url
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    LearnerProfileFactory,
    UserFactory,
)
from tests.support import statements

pytestmark = pytest.mark.django_db

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
CHARMS = "course-v1:HogwartsX+Charms202+1T2026"


@pytest.fixture
def boss(client):
    return staff.boss(client)


def learner(n):
    return UserFactory(username=f"u{n}")


def enrollment(n):
    row = CourseEnrollmentFactory(user=learner(n))
    api.set_enrollment_attributes(row.username, row.course_id, [{"namespace": "order", "name": "id", "value": str(n)}])
    return row


def audit(n):
    return models.ManualEnrollmentAudit.objects.create(
        enrollment=enrollment(n),
        enrolled_by=UserFactory(),
        enrolled_email=f"u{n}@example.com",
        state_transition=StateTransition.ENROLLED_TO_UNENROLLED,
    )


def grade(n):
    return models.CourseGrade.objects.create(user=learner(n), course_id=POTIONS, percent_grade=0.5)


def certificate(n):
    return models.CourseCertificate.objects.create(user=learner(n), course_id=POTIONS, status="downloadable")


ROWS = {
    "course": lambda n: CourseModeFactory().course,
    "coursemode": lambda n: CourseModeFactory(),
    "courseenrollment": enrollment,
    "manualenrollmentaudit": audit,
    "courseenrollmentallowed": lambda n: CourseEnrollmentAllowedFactory(email=f"u{n}@example.com"),
    "courseaccessrole": lambda n: CourseAccessRoleFactory(user=learner(n)),
    "learnerprofile": lambda n: LearnerProfileFactory(user=learner(n)),
    "retirementrequest": lambda n: models.RetirementRequest.objects.create(username=f"u{n}", state="PENDING"),
    "emailoptin": lambda n: models.EmailOptIn.objects.create(user=learner(n), org="edX", value=OptIn.YES),
    "coursegrade": grade,
    "coursecertificate": certificate,
}
LOG_IN = 2
STATEMENTS = {  # of the list, of a search in it, and of one row's page, without the log-in's
    "course": (2, 2, 4),
    "coursemode": (2, 2, 2),
    "courseenrollment": (2, 4, 4),
    "manualenrollmentaudit": (2, 3, 1),
    "courseenrollmentallowed": (2, 3, 1),
    "courseaccessrole": (2, 4, 1),
    "learnerprofile": (2, 3, 1),
    "retirementrequest": (2, 2, 1),
    "emailoptin": (2, 3, 1),
    "coursegrade": (2, 4, 1),
    "coursecertificate": (2, 4, 1),
}


def test_every_model_has_a_page():
    pages = {model._meta.model_name for model in admin.site._registry if model._meta.app_label == "enrollment"}
    assert pages >= set(ROWS)


@pytest.mark.rule("enrollment.admin.statements")
@pytest.mark.parametrize("model", ROWS)
def test_statements_do_not_grow_with_the_rows(boss, model):
    ROWS[model](0)

    def counts(row):
        found = []
        for address in (url(model), url(model) + "?q=u1", url(model, "change", row.pk)):
            with statements() as run:
                response = boss.get(address)
            assert response.status_code == 200, address
            found.append((len(run) - LOG_IN, run))
        return found

    row = ROWS[model](1)
    counts(row)  # content types are remembered from here on
    few = counts(row)
    for n in range(2, 100):
        row = ROWS[model](n)
    many = counts(row)
    assert [number for number, _ in few] == [number for number, _ in many]
    assert tuple(number for number, _ in many) == STATEMENTS[model], "\n---\n".join(str(run) for _, run in many)


@pytest.fixture
def two_learners():
    for username, key in (("ron", POTIONS), ("Rona", CHARMS)):
        user = UserFactory(username=username, email=f"{username}@hogwarts.example")
        mode = CourseModeFactory(course=CourseFactory(id=key, display_name=f"All about {username}"))
        row = CourseEnrollmentFactory(user=user, course=mode.course)
        models.ManualEnrollmentAudit.objects.create(
            enrollment=row, enrolled_email=user.email, state_transition=StateTransition.DEFAULT
        )
        CourseEnrollmentAllowedFactory(email=user.email, course_id=key)
        CourseAccessRoleFactory(user=user, course_id=key)
        LearnerProfileFactory(user=user)
        models.RetirementRequest.objects.create(username=username, state="PENDING")
        models.EmailOptIn.objects.create(user=user, org="HogwartsX", value=OptIn.YES)
        models.CourseGrade.objects.create(user=user, course_id=key, percent_grade=0.5)
        models.CourseCertificate.objects.create(user=user, course_id=key, status="downloadable")
    CourseEnrollmentFactory(user=user, course_id="course-v1:Gone+G+1")


@pytest.mark.rule("enrollment.admin.search")
@pytest.mark.parametrize(
    ("model", "term", "found"),
    [
        ("course", "POTIONS101", 1),
        ("course", "about RONA", 1),
        ("course", "hogwarts 1t2026", 2),
        ("coursemode", "charms audit", 1),
        ("courseenrollment", "ron", 1),
        ("courseenrollment", "Ro", 2),
        ("courseenrollment", "ona", 0),
        ("courseenrollment", "ron potions", 1),
        ("courseenrollment", "ron charms", 0),
        ("courseenrollment", "HogwartsX", 2),
        ("courseenrollment", "course-v1:Gone+G+1", 1),
        ("courseenrollment", "%", 0),
        ("courseenrollment", "'", 0),
        ("courseenrollment", '"', 0),
        ("manualenrollmentaudit", "Rona@", 1),
        ("manualenrollmentaudit", "potions", 1),
        ("courseenrollmentallowed", "RON@HOGWARTS.EXAMPLE", 1),
        ("courseenrollmentallowed", "ron@", 1),
        ("courseenrollmentallowed", "charms", 1),
        ("courseaccessrole", "ron", 1),
        ("courseaccessrole", CHARMS, 1),
        ("learnerprofile", "ron", 1),
        ("retirementrequest", "ron", 1),
        ("retirementrequest", "PENDING", 2),
        ("emailoptin", "ron", 1),
        ("emailoptin", "HogwartsX", 2),
        ("coursegrade", "ron", 1),
        ("coursegrade", POTIONS, 1),
        ("coursecertificate", "Rona charms", 1),
    ],
)
def test_search_finds_what_staff_mean(boss, two_learners, model, term, found):
    response = boss.get(url(model), {"q": term})
    assert response.status_code == 200
    assert response.context["cl"].result_count == found


@pytest.mark.parametrize("term", ["\x00", "a\x00b", '"', "\\", "é" * 300, "a " * 300])
def test_odd_searches_do_no_harm(boss, two_learners, term):
    for model in ("courseenrollment", "course", "courseenrollmentallowed"):
        assert boss.get(url(model), {"q": term}).status_code == 200


def test_a_word_that_means_more_than_a_list_can_name(boss, monkeypatch, two_learners):
    monkeypatch.setattr("enrollment.admin.parts.MOST_NAMED", 1)
    for term, found in (("HogwartsX", 2), ("R", 3), ("r", 2)):
        assert boss.get(url("courseenrollment"), {"q": term}).context["cl"].result_count == found, term


@pytest.mark.rule("enrollment.admin.filters")
@pytest.mark.parametrize(
    ("model", "address", "found"),
    [
        ("courseenrollment", {"mode": "audit"}, 3),
        ("courseenrollment", {"mode": "verified"}, 0),
        ("courseenrollment", {"is_active__exact": "0"}, 0),
        ("courseenrollmentallowed", {"user__isempty": "1"}, 2),
        ("courseenrollmentallowed", {"auto_enroll__exact": "1"}, 0),
        ("manualenrollmentaudit", {"state_transition__exact": "N/A"}, 2),
        ("coursegrade", {"passed_timestamp__isempty": "1"}, 2),
        ("emailoptin", {"value__exact": "True"}, 2),
    ],
)
def test_lists_are_filtered(boss, two_learners, model, address, found):
    assert boss.get(url(model), address).context["cl"].result_count == found


def test_names_stand_in_lists_and_what_is_gone_does_no_harm(boss, two_learners):
    page = boss.get(url("courseenrollment")).content.decode()
    assert ">Rona<" in page
    assert "course-v1:Gone+G+1" in page
    row = models.CourseEnrollment.objects.get(course_id="course-v1:Gone+G+1")
    assert boss.get(url("courseenrollment", "change", row.pk)).status_code == 200
    orphan = CourseModeFactory(course_id="course-v1:Gone+G+1", course=None)
    assert boss.get(url("coursemode")).status_code == 200
    assert boss.get(url("coursemode", "change", orphan.pk)).status_code == 200


def test_what_cannot_be_paged_is_told(boss, monkeypatch, two_learners):
    monkeypatch.setattr(LimitedPaginator, "most_rows", 2)
    assert "There are more. The first 2 are shown" in boss.get(url("courseenrollment")).content.decode()


@pytest.mark.rule("enrollment.admin.enrollment")
def test_attributes_and_history_are_on_the_page(boss):
    row = enrollment(7)
    user = UserFactory(username="mcgonagall")
    api.change_enrollment_by_hand("u7", row.course_id, is_active=False, reason="Not <b>ours</b>", changed_by=user.pk)
    models.CourseEnrollment.history.update(history_user=user)
    page = boss.get(url("courseenrollment", "change", row.pk)).content.decode()
    for text in ("order", "<td>7</td>", "is active: True → False", "Not &lt;b&gt;ours&lt;/b&gt;", "mcgonagall"):
        assert text in page, text
    assert "From enrolled to unenrolled" in page
    assert "_save" not in page


RULED = ["courseenrollment", "manualenrollmentaudit", "emailoptin", "coursegrade", "coursecertificate"]


@pytest.mark.rule("enrollment.admin.read-only")
@pytest.mark.parametrize("model", RULED)
def test_what_rules_own_is_read(boss, model):
    row = ROWS[model](1)
    before = type(row).objects.values().get(pk=row.pk)
    assert boss.get(url(model, "add")).status_code == 403
    assert boss.post(url(model, "change", row.pk), {"mode": "verified", "value": "False"}).status_code == 403
    assert boss.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    boss.post(url(model), {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    assert type(row).objects.values().get(pk=row.pk) == before
    assert b"_save" not in boss.get(url(model, "change", row.pk)).content


@pytest.mark.rule("enrollment.admin.permissions")
def test_without_permission_there_is_nothing_to_see(client):
    for model, make in ROWS.items():
        row = make(1) if model != "manualenrollmentaudit" else make(2)
        clerk(client, "view_coursemode" if model != "coursemode" else "view_course")
        for address in (url(model), url(model, "add"), url(model, "change", row.pk), url(model, "delete", row.pk)):
            assert client.get(address).status_code == 403, address
        models.CourseEnrollment.objects.all().delete()
        type(row).objects.all().delete()
        UserFactory._meta.model.objects.filter(username__startswith="u").delete()


@pytest.mark.rule("enrollment.admin.permissions")
@pytest.mark.parametrize(
    ("model", "add", "change", "delete"),
    [
        ("course", 200, 200, 200),
        ("coursemode", 200, 200, 200),
        ("courseenrollment", 403, 403, 403),
        ("manualenrollmentaudit", 403, 403, 403),
        ("courseenrollmentallowed", 200, 403, 200),
        ("courseaccessrole", 200, 403, 200),
        ("learnerprofile", 200, 200, 200),
        ("retirementrequest", 200, 200, 403),
        ("emailoptin", 403, 403, 403),
        ("coursegrade", 403, 403, 403),
        ("coursecertificate", 403, 403, 403),
    ],
)
def test_what_each_permission_opens(client, model, add, change, delete):
    row = CourseFactory() if model == "course" else ROWS[model](1)
    for permission, address, status in (
        ("add", url(model, "add"), add),
        ("delete", url(model, "delete", row.pk), delete),
        ("change", url(model, "change", row.pk), change),
    ):
        clerk(client, f"view_{model}", f"{permission}_{model}")
        answer = client.post(address, {}) if permission == "change" else client.get(address)
        assert (answer.status_code == 403) == (status == 403), permission
    clerk(client, f"view_{model}")
    assert client.get(url(model)).status_code == 200
    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "change", row.pk), {}).status_code == 403
    assert client.get(url(model, "delete", row.pk)).status_code == 403


def test_courses_are_found_while_typing(boss, two_learners):
    answer = boss.get(
        reverse("admin:autocomplete"),
        {"term": "charms", "app_label": "enrollment", "model_name": "coursemode", "field_name": "course"},
    )
    assert [row["text"] for row in answer.json()["results"]] == [CHARMS]


def test_moments_are_shown(boss):
    row = grade(1)
    models.CourseGrade.objects.update(passed_timestamp=timezone.now())
    assert boss.get(url("coursegrade", "change", row.pk)).status_code == 200
