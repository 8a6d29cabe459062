"""Files of courses, modes, grades and certificates: all of a file or nothing, and it is told which line is wrong."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.utils import timezone

from enrollment import api, models
from tests.enrollment import admin as staff
from tests.enrollment.admin import clerk, told, url
from tests.enrollment.factories import CourseFactory, CourseModeFactory, UserFactory
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.admin.import")]

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
CHARMS = "course-v1:HogwartsX+Charms202+1T2026"
MARCH, JUNE = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC)
MODELS = {
    "course": models.Course,
    "coursemode": models.CourseMode,
    "coursegrade": models.CourseGrade,
    "coursecertificate": models.CourseCertificate,
}


@pytest.fixture
def boss(client):
    return staff.boss(client)


@pytest.fixture
def ron(db):
    return UserFactory(username="ron")


def send(client, model, *lines, **answers):
    """Upload a file of these lines."""
    file = BytesIO("\n".join(lines).encode())
    file.name = "rows.csv"
    return client.post(url(model, "import"), {"format": "0", "resource": "0", "import_file": file, **answers})


def problems(response):
    """Return what the page says is wrong with the file."""
    assert response.status_code == 200
    return [
        *getattr(response.context.get("result"), "problems", []),
        *response.context["form"].errors.get("import_file", []),
    ]


def outcome(response):
    kind, text = told(response)[-1]
    assert kind == "success"
    return text


def test_courses_come_in_and_go_out(boss):
    CourseFactory(id=POTIONS, display_name="Brewing")
    response = send(
        boss,
        "course",
        "id,display_name,start,end,invitation_only,max_student_enrollments_allowed,self_paced,minimum_grade_credit",
        f"{POTIONS},Potions,2026-03-01T12:00:00Z,,no,30,yes,0.8",
        f"{CHARMS},=Charms,,,yes,,no,",
    )
    assert outcome(response) == "Imported: 1 new, 1 changed, 0 the same."
    potions, charms = models.Course.objects.order_by("-id")
    assert (potions.display_name, potions.start, potions.end) == ("Potions", MARCH, None)
    assert (potions.max_student_enrollments_allowed, potions.minimum_grade_credit) == (30, 0.8)
    assert (charms.org, charms.invitation_only, charms.max_student_enrollments_allowed) == ("HogwartsX", True, None)
    content = boss.get(url("course", "export")).content.decode("utf-8-sig")
    assert "'=Charms" in content
    assert send(boss, "course", *content.splitlines()).status_code == 302
    assert models.Course.objects.get(id=CHARMS).display_name == "=Charms"


def test_modes_come_in_with_their_rules(boss):
    course = CourseFactory(id=POTIONS)
    mode = CourseModeFactory(course=course, mode_slug="verified")
    mode.set_expiration(MARCH)
    mode.save()
    response = send(
        boss,
        "coursemode",
        "course_id,mode_slug,mode_display_name,min_price,currency,expiration_datetime,sku",
        f"{POTIONS},verified,Verified,60,USD,2026-03-01T12:00:00Z,",
        f"{POTIONS},honor,Honor,0,usd,2026-06-01T12:00:00Z,A1",
    )
    assert outcome(response) == "Imported: 1 new, 1 changed, 0 the same."
    mode.refresh_from_db()
    assert (mode.min_price, mode.expiration_datetime_is_explicit) == (60, False)
    honor = course.modes.get(mode_slug="honor")
    assert (honor.expiration_datetime, honor.expiration_datetime_is_explicit, honor.sku) == (JUNE, True, "A1")
    assert mode.history.count() == 3


def test_grades_are_stored_as_of_now_or_as_of_their_time(boss, ron):
    before = timezone.now()
    send(boss, "coursegrade", "username,course_id,percent_grade,letter_grade", f"ron,{POTIONS},0.5,C")
    row = models.CourseGrade.objects.get()
    assert (row.user, row.percent_grade, row.letter_grade) == (ron, 0.5, "C")
    assert row.reported_at >= before

    lines = ["username,course_id,percent_grade,reported_at", f"ron,{POTIONS},0.9,2026-03-01T12:00:00Z"]
    models.CourseGrade.objects.update(reported_at=JUNE)
    assert outcome(send(boss, "coursegrade", *lines)) == "Imported: 0 new, 0 changed, 1 the same."
    models.CourseGrade.objects.update(reported_at=None)
    assert send(boss, "coursegrade", *lines).status_code == 302
    row.refresh_from_db()
    assert (row.percent_grade, row.letter_grade, row.reported_at) == (0.9, "C", MARCH)


def test_certificates_keep_when_they_were_awarded(boss, ron):
    lines = ["username,course_id,status,mode,reported_at", f"ron,{POTIONS},downloadable,verified,2026-03-01T12:00:00Z"]
    send(boss, "coursecertificate", *lines)
    send(boss, "coursecertificate", "username,course_id,status", f"ron,{POTIONS},unavailable")
    row = models.CourseCertificate.objects.get()
    assert (row.status, row.mode, row.awarded_at) == ("unavailable", "verified", MARCH)


@pytest.mark.rule("enrollment.admin.import.all-or-nothing")
@pytest.mark.parametrize(
    ("model", "lines", "wrong"),
    [
        pytest.param("course", ["id", CHARMS, "Charms"], ["Line 3: This is not the key"], id="no key"),
        pytest.param("course", ["id,end", f"{CHARMS},soon"], ["Line 2: end: “soon” is no moment"], id="no moment"),
        pytest.param(
            "course",
            ["id,minimum_grade_credit,max_student_enrollments_allowed", f"{CHARMS},nan,many"],
            ["Line 2: max_student", "Line 2: minimum_grade_credit: “nan” is no fraction"],
            id="no numbers",
        ),
        pytest.param(
            "coursemode",
            ["course_id,mode_slug,mode_display_name,min_price,currency", f"{POTIONS},verified,V,0,usd"],
            ["Line 2: min_price: The price of this mode is at least 1."],
            id="too cheap",
        ),
        pytest.param(
            "coursemode",
            ["course_id,mode_slug,mode_display_name,min_price,currency", f"{POTIONS},audit,A,,usd"],
            ["Line 2: min_price: “” is no whole number."],
            id="no price",
        ),
        pytest.param(
            "coursemode",
            ["course_id,mode_slug,mode_display_name,currency", f"{CHARMS},audit,A,usd"],
            [f"Line 2: course: course instance with id '{CHARMS}' is not a valid choice."],
            id="no such course",
        ),
        pytest.param(
            "coursemode", ["course_id,mode_slug", f"{POTIONS},audit"], ["Missing columns: currency."], id="id"
        ),
        pytest.param(
            "coursegrade",
            ["username,course_id,percent_grade", f"ron,{POTIONS},0.9", f"Ron,{POTIONS},0.9", f"ron,{CHARMS},1.5"],
            ["Line 3: There is no such user.", "Line 4: percent_grade: “1.5” is no fraction"],
            id="nobody, and no fraction",
        ),
        pytest.param(
            "coursecertificate",
            ["username,course_id,status", f"ron,{POTIONS},"],
            ["Line 2: status: This field cannot be blank."],
            id="no status",
        ),
        pytest.param(
            "coursecertificate", ["username,awarded_at", "ron,x"], ["Unknown columns: awarded_at."], id="ours to say"
        ),
    ],
)
def test_one_wrong_line_and_nothing_is_stored(boss, ron, model, lines, wrong):
    CourseFactory(id=POTIONS)
    before = MODELS[model].objects.count()
    found = problems(send(boss, model, *lines))
    assert len(found) == len(wrong)
    assert all(text.startswith(begin) for text, begin in zip(found, wrong, strict=True)), found
    assert MODELS[model].objects.count() == before


def test_a_file_of_reports_is_no_longer_than_a_request_can_take(boss, ron):
    lines = ["username,course_id,percent_grade", *[f"ron,{POTIONS},0.5"] * 1001]
    assert problems(send(boss, "coursegrade", *lines)) == ["A file has at most 1000 rows; split it."]
    assert b"at most 1000 rows" in boss.get(url("coursegrade", "import")).content
    assert b"at most 5000 rows" in boss.get(url("course", "import")).content


@pytest.mark.rule("enrollment.admin.statements")
def test_a_report_costs_a_few_statements(boss):
    def counted(first, last):
        for n in range(first, last):
            UserFactory(username=f"u{n}")
        with statements() as run:
            send(
                boss,
                "coursegrade",
                "username,course_id,percent_grade",
                *[f"u{n},{POTIONS},0.5" for n in range(first, last)],
            )
        return len(run)

    counted(100, 101)  # what is remembered from then on
    assert counted(10, 20) - counted(0, 5) == 5 * 3  # whether the account and the row are there, and the row


def test_a_file_can_only_be_checked(boss, ron):
    response = send(boss, "coursegrade", "username,course_id,percent_grade", f"ron,{POTIONS},0.9", only_check="on")
    assert outcome(response).startswith("Checked, nothing was changed. It would be: 1 new")
    assert not models.CourseGrade.objects.exists()


@pytest.mark.rule("enrollment.admin.permissions")
@pytest.mark.parametrize("model", MODELS)
def test_who_may_not_add_and_change_cannot_import(client, ron, model):
    for permissions in (["view"], ["view", "add"], ["view", "change"]):
        clerk(client, *[f"{permission}_{model}" for permission in permissions])
        assert send(client, model, "id", POTIONS).status_code == 403
    assert b"/import/" not in client.get(url(model)).content
    clerk(client, f"view_{model}", f"add_{model}", f"change_{model}")
    assert b"/import/" in client.get(url(model)).content
    assert client.get(url(model, "import")).status_code == 200


@pytest.mark.parametrize(("model", "status"), [("course", 200), ("coursegrade", 403), ("coursecertificate", 403)])
def test_rows_of_learners_do_not_go_out(boss, ron, model, status):
    api.record_course_grade(ron.pk, POTIONS, reported_at=MARCH, percent_grade=0.5)
    assert boss.get(url(model, "export")).status_code == status
    assert (b"/export/" in boss.get(url(model)).content) == (status == 200)
