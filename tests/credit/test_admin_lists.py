"""Staff pages show what they should, find it, and ask the database the same number of questions for any number of rows
(credit contract 12, D32).
"""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from coursecredit.admin.pages import LimitedPaginator
from credit import api
from credit.choices import CallbackOutcome
from credit.models import CreditAudit, CreditConfig, CreditEligibility, CreditRequest
from credit.models.callbacks import CallbackLog
from tests.credit.admin import clerk, url
from tests.credit.factories import (
    CourseExamFactory,
    CreditConfigFactory,
    CreditCourseFactory,
    CreditCourseProviderFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
    ExamAttemptFactory,
)
from tests.enrollment.factories import UserFactory
from tests.support import statements

pytestmark = pytest.mark.django_db

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
CHARMS = "course-v1:HogwartsX+Charms202+1T2026"


def audit_row(n):
    return CreditAudit.objects.create(kind="request", username=f"u{n}", subject=str(n), new_status="pending")


def log_row(n):
    return CallbackLog.objects.create(provider_id=f"p{n}", outcome=CallbackOutcome.REFUSED, reason="bad_signature")


ROWS = {
    "creditcourse": lambda n: CreditCourseProviderFactory().course,
    "creditprovider": lambda n: CreditProviderFactory(),
    "creditcourseprovider": lambda n: CreditCourseProviderFactory(),
    "creditrequirement": lambda n: CreditRequirementFactory(),
    "courseexam": lambda n: CourseExamFactory(),
    "creditrequirementstatus": lambda n: CreditRequirementStatusFactory(username=f"u{n}"),
    "crediteligibility": lambda n: CreditEligibilityFactory(username=f"u{n}"),
    "creditrequest": lambda n: CreditRequestFactory(username=f"u{n}"),
    "examattempt": lambda n: ExamAttemptFactory(username=f"u{n}"),
    "creditconfig": lambda n: CreditConfigFactory(),
    "creditaudit": audit_row,
    "callbacklog": log_row,
}
STATEMENTS = {  # of the list, of a search in it, and of one row's page, the log-in's two included
    "creditcourse": (4, 4, 7),
    "creditprovider": (4, 4, 4),
    "creditcourseprovider": (5, 5, 5),
    "creditrequirement": (5, 5, 4),
    "courseexam": (4, 4, 4),
    "creditrequirementstatus": (6, 7, 6),
    "crediteligibility": (5, 6, 5),
    "creditrequest": (7, 9, 6),
    "examattempt": (5, 6, 4),
    "creditconfig": (4, 4, 3),
    "creditaudit": (4, 4, 3),
    "callbacklog": (4, 4, 3),
}


def test_every_model_has_a_page():
    pages = {model._meta.model_name for model in admin.site._registry if model._meta.app_label == "credit"}
    assert pages == set(ROWS)


@pytest.mark.rule("credit.admin.statements")
@pytest.mark.parametrize("model", ROWS)
def test_statements_do_not_grow_with_the_rows(boss, model):
    ROWS[model](0)

    def counts(row):
        found = []
        for address in (url(model), url(model) + "?q=u1", url(model, "change", row.pk)):
            with statements() as run:
                response = boss.get(address)
            assert response.status_code == 200, address
            found.append((len(run), run))
        return found

    row = ROWS[model](1)
    counts(row)  # content types are remembered from here on
    few = counts(row)
    for n in range(2, 100):
        row = ROWS[model](n)
    many = counts(row)
    assert [number for number, _ in few] == [number for number, _ in many]
    assert tuple(number for number, _ in many) == STATEMENTS[model], "\n---\n".join(str(run) for _, run in many)


@pytest.mark.rule("credit.admin.lists")
@pytest.mark.parametrize(
    ("model", "columns", "filters"),
    [
        ("creditcourse", ["course_key", "enabled"], ["enabled"]),
        ("creditprovider", ["provider_id", "display_name", "active"], ["active"]),
        ("crediteligibility", ["course", "username", "deadline"], []),
        ("creditrequest", ["provider", "course", "status", "username"], ["provider", "status"]),
        ("creditrequirement", ["course", "namespace", "name", "display_name", "active"], ["active", "namespace"]),
        ("creditrequirementstatus", ["username", "requirement", "status"], []),
    ],
)
def test_lists_have_the_columns_and_filters_of_the_contract(model, columns, filters):
    [page] = [page for table, page in admin.site._registry.items() if table._meta.label_lower == f"credit.{model}"]
    assert list(page.list_display)[: len(columns)] == columns
    assert list(page.list_filter)[: len(filters)] == filters


@pytest.fixture
def two_learners():
    for username, key in (("ron", POTIONS), ("Rona", CHARMS)):
        course = CreditCourseFactory(course_key=key)
        provider = CreditProviderFactory(provider_id=f"uni-{username.lower()}")
        requirement = CreditRequirementFactory(course=course)
        CreditRequirementStatusFactory(username=username, requirement=requirement)
        CreditEligibilityFactory(username=username, course=course)
        CreditRequestFactory(username=username, course=course, provider=provider, uuid=username.lower().ljust(32, "0"))
        CourseExamFactory(course_key=key)
        CreditCourseProviderFactory(course=course, provider=provider)
        CreditAudit.objects.create(kind="request", username=username, subject=key, new_status="pending")
    ExamAttemptFactory(username="ron", exam__course_key="course-v1:Other+O+1")


@pytest.mark.rule("credit.admin.search")
@pytest.mark.parametrize(
    ("model", "term", "found"),
    [
        ("creditrequirementstatus", "ron", 1),
        ("creditrequirementstatus", "Ro", 1),
        ("creditrequirementstatus", "ona", 0),
        ("creditrequirementstatus", "potions", 1),
        ("creditrequirementstatus", POTIONS, 1),
        ("creditrequirementstatus", "ron potions", 1),
        ("creditrequirementstatus", "ron charms", 0),
        ("creditrequirementstatus", "HogwartsX", 2),
        ("creditrequirementstatus", "%", 0),
        ("creditrequirementstatus", "'", 0),
        ("crediteligibility", "ron", 1),
        ("crediteligibility", CHARMS, 1),
        ("creditrequest", "ron", 2),
        ("creditrequest", "RON" + "0" * 29, 1),
        ("creditrequest", "uni-", 2),
        ("creditrequest", "UNI-RONA", 1),
        ("creditrequest", "charms", 1),
        ("creditcourse", "POTIONS101", 1),
        ("creditcourse", "hogwarts 1t2026", 2),
        ("creditcourse", "+++", 0),
        ("creditprovider", "uni-rona", 1),
        ("creditprovider", "the UNI", 2),
        ("creditrequirement", "charms grade", 1),
        ("creditcourseprovider", "charms rona", 1),
        ("courseexam", "potions final", 1),
        ("examattempt", "other", 1),
        ("creditaudit", "ron", 1),
    ],
)
def test_search_finds_what_staff_mean(boss, two_learners, model, term, found):
    response = boss.get(url(model), {"q": term})
    assert response.status_code == 200
    assert response.context["cl"].result_count == found


@pytest.mark.parametrize("term", ["\x00", "a\x00b", '"', "\\", "é" * 300, "a " * 500])
def test_odd_searches_do_no_harm(boss, term):
    for model in ("creditrequest", "creditcourse"):
        assert boss.get(url(model), {"q": term}).status_code == 200


def test_a_word_that_means_more_courses_than_a_list_can_name(boss, monkeypatch):
    monkeypatch.setattr("credit.admin.parts.MOST_COURSES", 2)
    for n in range(4):
        CreditRequirementStatusFactory(username=f"u{n}")
    assert boss.get(url("creditrequirementstatus"), {"q": "HogwartsX"}).context["cl"].result_count == 4


def test_what_cannot_be_paged_is_told(boss, monkeypatch):
    monkeypatch.setattr(LimitedPaginator, "most_rows", 2)
    for n in range(3):
        CreditRequirementStatusFactory(username=f"u{n}")
    assert "There are more. The first 2 are shown" in boss.get(url("creditrequirementstatus")).content.decode()


@pytest.mark.rule("credit.admin.pending")
@pytest.mark.parametrize(
    ("days", "found"), [("7", 2), ("30", 1), ("10", 1), ("0", 3), ("x", 4), ("-1", 4), ("9" * 20, 4)]
)
def test_requests_pending_longer_than(boss, days, found):
    for age, status in ((1, "pending"), (8, "pending"), (40, "pending"), (40, "approved")):
        row = CreditRequestFactory(username=f"u{age}{status}", status=status)
        CreditRequest.objects.filter(pk=row.pk).update(created=timezone.now() - timedelta(days=age))
    response = boss.get(url("creditrequest"), {"pending_days": days})
    assert response.context["cl"].result_count == found


@pytest.mark.rule("credit.admin.pending")
@pytest.mark.parametrize(
    ("days", "told"),
    [
        ("21", "longer than 21 days"),
        ("x", "“x” is no number of days: all requests are shown"),
        ("-1", "“-1” is no number of days: all requests are shown"),
        ("<b>", "“&lt;b&gt;” is no number of days: all requests are shown"),
    ],
)
def test_it_is_told_how_long_pending_means(boss, days, told):
    CreditRequestFactory()
    assert told in boss.get(url("creditrequest"), {"pending_days": days}).content.decode()


@pytest.mark.rule("credit.admin.search")
def test_attempts_of_more_exams_than_a_list_can_name_are_found(boss, monkeypatch):
    monkeypatch.setattr("credit.admin.parts.MOST_COURSES", 2)
    for n in range(4):
        ExamAttemptFactory(username=f"u{n}")
    assert boss.get(url("examattempt"), {"q": "course-v1"}).context["cl"].result_count == 4


@pytest.mark.rule("credit.admin.audit")
def test_the_audit_is_on_the_page_of_what_it_is_about(boss, eligible_ron, potions, grade, hogwarts):
    user = UserFactory(username="mcgonagall")
    staff = {"source": "staff", "actor": str(user.pk)}
    request = CreditRequestFactory(course=potions, provider=hogwarts)
    api.update_credit_request_status(request.uuid, "hogwarts", "rejected", **staff, reason="Not <b>ours</b>")
    status = api.get_credit_requirement_status(potions.course_key, "ron")[0]
    assert status["status"] == "satisfied"
    row = grade.statuses.get()
    CreditAudit.record_requirement(row, grade, old="failed", new="satisfied", **staff)
    api.extend_eligibility_deadline("ron", potions.course_key, timezone.now(), reason="Appeal", **staff)
    eligibility = CreditEligibility.objects.get()

    for model, pk, texts in (
        ("creditrequest", request.pk, ["pending → rejected", "Not &lt;b&gt;ours&lt;/b&gt;"]),
        ("creditrequirementstatus", row.pk, ["failed → satisfied"]),
        ("crediteligibility", eligibility.pk, ["Appeal"]),
    ):
        page = boss.get(url(model, "change", pk)).content.decode()
        for text in [*texts, "Staff, mcgonagall"]:
            assert text in page, (model, text)


def test_an_actor_who_is_no_number_is_shown_as_it_is(boss, hogwarts):
    request = CreditRequestFactory(provider=hogwarts)
    api.record_provider_decision(request.uuid, "hogwarts", "approved", timestamp=1)
    assert (
        escape("Provider's callback, hogwarts") in boss.get(url("creditrequest", "change", request.pk)).content.decode()
    )


@pytest.mark.rule("credit.admin.read-only")
@pytest.mark.parametrize(
    "model", ["creditrequest", "creditrequirementstatus", "creditaudit", "callbacklog", "examattempt"]
)
def test_what_rules_own_is_read(boss, model):
    row = ROWS[model](1)
    assert boss.get(url(model, "add")).status_code == 403
    assert boss.post(url(model, "change", row.pk), {"status": "approved"}).status_code == 403
    assert boss.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    response = boss.post(url(model), {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    assert response.status_code in (200, 302)  # the latter where there are other actions
    assert type(row).objects.filter(pk=row.pk).exists()
    assert b"_save" not in boss.get(url(model, "change", row.pk)).content


@pytest.mark.rule("credit.admin.config")
class TestConfiguration:
    def test_another_row_is_added_and_counts(self, boss):
        CreditConfigFactory(cache_ttl=60)
        assert boss.get(url("creditconfig", "add")).context["adminform"].form.initial["cache_ttl"] == 60
        assert boss.post(url("creditconfig", "add"), {"enabled": "on", "cache_ttl": "120"}).status_code == 302
        assert CreditConfig.current().cache_ttl == 120
        assert CreditConfig.current().changed_by.username == "boss"
        assert CreditConfig.objects.count() == 2
        rows = boss.get(url("creditconfig")).context["cl"].result_list
        assert [not row.is_replaced for row in rows] == [True, False]

    def test_the_past_stays_as_it_was(self, boss):
        row = CreditConfigFactory(cache_ttl=60)
        assert boss.post(url("creditconfig", "change", row.pk), {"cache_ttl": "1"}).status_code == 403
        assert boss.post(url("creditconfig", "delete", row.pk), {"post": "yes"}).status_code == 403
        assert list(CreditConfig.objects.values_list("cache_ttl", flat=True)) == [60]


class TestCourses:
    def test_a_course_is_added_with_a_provider(self, boss, hogwarts):
        lines = {"course_providers-TOTAL_FORMS": "1", "course_providers-INITIAL_FORMS": "0"}
        answer = boss.post(
            url("creditcourse", "add"),
            {"course_key": POTIONS, "enabled": "on", "course_providers-0-provider": hogwarts.pk, **lines},
        )
        assert answer.status_code == 302
        assert api.is_credit_course(POTIONS)
        assert [row.provider_id for row in hogwarts.course_providers.all()] == [hogwarts.pk]

    @pytest.mark.parametrize("key", ["", "Potions", "library-v1:A+B", "a+b+c", "course-v1:a+b+" + "c" * 300, "a/b"])
    def test_what_is_no_course_key_is_an_error_of_the_form(self, boss, key):
        lines = {"course_providers-TOTAL_FORMS": "0", "course_providers-INITIAL_FORMS": "0"}
        answer = boss.post(url("creditcourse", "add"), {"course_key": key, **lines})
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors["course_key"]

    def test_there_is_one_row_per_course(self, boss, potions):
        lines = {"course_providers-TOTAL_FORMS": "0", "course_providers-INITIAL_FORMS": "0"}
        answer = boss.post(url("creditcourse", "add"), {"course_key": str(potions), **lines})
        assert answer.context["adminform"].form.errors["course_key"] == [
            "Credit course with this Course key already exists."
        ]

    @pytest.mark.rule("credit.admin.kept")
    def test_what_learners_depend_on_is_not_deleted(self, boss, potions, hogwarts, grade):
        rows = [("creditcourse", potions), ("creditprovider", hogwarts), ("creditrequirement", grade)]
        CreditRequestFactory(course=potions, provider=hogwarts)
        CreditRequirementStatusFactory(requirement=grade)
        for model, row in rows:
            assert boss.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
            row.refresh_from_db()

    def test_what_nobody_depends_on_is_deleted(self, boss, potions, hogwarts):
        for model, row in (("creditcourse", potions), ("creditprovider", hogwarts)):
            assert boss.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 302
            assert not type(row).objects.exists()

    @pytest.mark.parametrize(
        ("changes", "field"),
        [({}, None), ({"course_key": "x"}, "course_key"), ({"content_id": "final"}, "content_id")],
    )
    def test_exams(self, boss, changes, field):
        exam = {
            "course_key": POTIONS,
            "content_id": "block-v1:HogwartsX+Potions101+1T2026+type@sequential+block@final",
            "exam_name": "Final",
        }
        answer = boss.post(url("courseexam", "add"), {**exam, **changes})
        assert (answer.status_code == 302) == (field is None)
        if field:
            assert list(answer.context["adminform"].form.errors) == [field]

    @pytest.mark.parametrize(
        ("model", "field"), [("creditrequirement", "course"), ("creditcourseprovider", "provider")]
    )
    def test_rows_of_other_tables_are_found_while_typing(self, boss, two_learners, model, field):
        answer = boss.get(
            reverse("admin:autocomplete"),
            {
                "term": "rona" if field == "provider" else "charms",
                "app_label": "credit",
                "model_name": model,
                "field_name": field,
            },
        )
        assert [row["text"] for row in answer.json()["results"]] == ["uni-rona" if field == "provider" else CHARMS]


@pytest.mark.rule("credit.admin.permissions")
def test_without_permission_there_is_nothing_to_see(client):
    for model, make in ROWS.items():
        row = make(1)
        clerk(client, "view_creditprovider" if model != "creditprovider" else "view_creditcourse")
        assert client.get(url(model)).status_code == 403
        assert client.get(url(model, "change", row.pk)).status_code == 403
