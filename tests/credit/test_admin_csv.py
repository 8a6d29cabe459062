"""Files of courses, providers and exams: all of a file or nothing, and it is told which line is wrong (design 3)."""

import csv
from io import BytesIO, StringIO

import pytest

from coursecredit.admin import transfer
from credit import api
from credit.models import CourseExam, CreditCourse, CreditProvider
from tests.credit.admin import clerk, told, url
from tests.credit.factories import CourseExamFactory, CreditCourseFactory, CreditProviderFactory

pytestmark = pytest.mark.django_db

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
CHARMS = "course-v1:HogwartsX+Charms202+1T2026"
EXAM = "block-v1:HogwartsX+Potions101+1T2026+type@sequential+block@final"
MODELS = {"creditcourse": CreditCourse, "creditprovider": CreditProvider, "courseexam": CourseExam}


def send(client, model, content, **answers):
    """Upload a file; text goes in UTF-8."""
    file = BytesIO(content if isinstance(content, bytes) else content.encode())
    file.name = "rows.csv"
    return client.post(url(model, "import"), {"format": "0", "resource": "0", "import_file": file, **answers})


def problems(response):
    """Return what the page says is wrong with the file."""
    assert response.status_code == 200
    return [
        *getattr(response.context.get("result"), "problems", []),
        *response.context["form"].errors.get("import_file", []),
    ]


def export(client, model, **filters):
    response = client.get(url(model, "export"), filters)
    assert response["Content-Type"] == "text/csv"
    assert response["Content-Disposition"].startswith("attachment;")
    return response.content


@pytest.mark.rule("credit.admin.import")
class TestImport:
    def test_courses_are_added_changed_and_left_alone(self, boss):
        CreditCourseFactory(course_key=POTIONS, enabled=False)
        CreditCourseFactory(course_key="course-v1:Other+O+1", enabled=True)
        assert not api.is_credit_course(POTIONS)
        response = send(boss, "creditcourse", f"course_key,enabled\n{POTIONS},true\n{CHARMS},no\n")
        assert told(response) == [("success", "Imported: 1 new, 1 changed, 0 the same.")]
        assert [str(key) for key in CreditCourse.objects.order_by("pk").values_list("course_key", flat=True)] == [
            POTIONS,
            "course-v1:Other+O+1",
            CHARMS,
        ]

    def test_the_second_time_nothing_changes(self, boss):
        content = f"course_key,enabled\n{POTIONS},1\n"
        send(boss, "creditcourse", content)
        assert told(send(boss, "creditcourse", content))[-1] == ("success", "Imported: 0 new, 0 changed, 1 the same.")

    def test_columns_left_out_stay_as_they_are(self, boss, hogwarts):
        send(boss, "creditprovider", "provider_id,active\nhogwarts,false\n")
        hogwarts.refresh_from_db()
        assert (hogwarts.active, hogwarts.display_name, hogwarts.enable_integration) == (False, "Hogwarts School", True)

    def test_ids_are_case_sensitive(self, boss, hogwarts):
        send(boss, "creditprovider", "provider_id,display_name\nHogwarts,Another\n")
        assert set(CreditProvider.objects.values_list("provider_id", "display_name")) == {
            ("hogwarts", "Hogwarts School"),
            ("Hogwarts", "Another"),
        }

    def test_exams(self, boss):
        send(
            boss,
            "courseexam",
            "course_key;content_id;exam_name;is_proctored;block_start\r\n"
            f'{POTIONS};{EXAM};"Final; with ""owls""";yes;2026-03-01T12:00:00\r\n',
        )
        exam = CourseExam.objects.get()
        assert (exam.exam_name, exam.is_proctored, exam.is_active) == ('Final; with "owls"', True, True)
        assert exam.block_start.isoformat() == "2026-03-01T12:00:00+00:00"

    def test_a_file_can_only_be_checked(self, boss):
        response = send(boss, "creditcourse", f"course_key,enabled\n{POTIONS},1\n", only_check="on")
        assert told(response) == [
            ("success", "Checked, nothing was changed. It would be: 1 new, 0 changed, 0 the same.")
        ]
        assert not CreditCourse.objects.exists()

    @pytest.mark.rule("credit.admin.import.all-or-nothing")
    @pytest.mark.parametrize(
        ("model", "content", "told"),
        [
            pytest.param(
                "creditcourse",
                f"course_key,enabled\n{POTIONS},true\n\nPotions,true\n{CHARMS},perhaps\n",
                ["Line 4: This is not the key of a course", "Line 5: enabled: “perhaps” is neither"],
                id="two bad lines after a good one and a blank one",
            ),
            pytest.param(
                "creditprovider",
                'provider_id,display_name,provider_description\na,A,"two\nlines"\nb b,B,x\nc,,x\n',
                ["Line 4: provider_id: Enter a valid value.", "Line 5: display_name: This field cannot be blank."],
                id="lines, not rows, are counted",
            ),
            pytest.param(
                "creditprovider",
                "provider_id,display_name,provider_url\na,A,javascript:alert(1)\n",
                ["Line 2: provider_url: Enter a valid URL."],
                id="no address",
            ),
            pytest.param(
                "creditcourse",
                f"course_key,enabled\n{POTIONS},true\n{POTIONS},false\n",
                ["Line 3: The file has a row for this already"],
                id="the same twice",
            ),
            pytest.param("creditcourse", "library-v1:A+B\n", ["There is nothing in this file"], id="header only"),
            pytest.param(
                "creditcourse", "course_key,enabled\nlibrary-v1:A+B,1\n", ["Line 2: This is not the key"], id="library"
            ),
            pytest.param(
                "creditcourse", f"course_key,enabeld\n{POTIONS},1\n", ["Unknown columns: enabeld."], id="typo"
            ),
            pytest.param("creditcourse", "enabled\n1\n", ["Missing columns: course_key."], id="no id"),
            pytest.param(
                "creditcourse", f"course_key,enabled,enabled\n{POTIONS},1,0\n", ["A column occurs"], id="twice"
            ),
            pytest.param("creditcourse", f"course_key,enabled\n{POTIONS}\n", ["Line 2 has 1 columns"], id="too short"),
            pytest.param("creditcourse", f'course_key,enabled\n{POTIONS},"1\n', ["Line 2 is no CSV"], id="open quote"),
            pytest.param("creditcourse", b"course_key,enabled\n\xff,1\n", ["Line 2 is not in UTF-8"], id="not UTF-8"),
            pytest.param("creditcourse", b"PK\x03\x04\x00\x00", ["This is no text file."], id="a spreadsheet"),
            pytest.param("creditcourse", "", ["The submitted file is empty."], id="empty"),
            pytest.param(
                "courseexam",
                f"course_key,content_id,exam_name\n{POTIONS},final,F\n",
                ["Line 2: This is not a usage key"],
                id="exam",
            ),
            pytest.param(
                "courseexam",
                f"course_key,content_id,exam_name,block_start\n{POTIONS},{EXAM},F,soon\n",
                ["Line 2: block_start: “soon” is no moment"],
                id="date",
            ),
        ],
    )
    def test_nothing_of_a_bad_file_is_applied(self, boss, model, content, told):
        found = problems(send(boss, model, content))
        assert len(found) == len(told), found
        assert all(text.startswith(start) for text, start in zip(found, told, strict=True)), found
        assert not MODELS[model].objects.exists()

    def test_rows_that_stay_the_same_count_as_lines_too(self, boss, potions):
        content = f"course_key,enabled\n{POTIONS},true\n{CHARMS},true\nPotions,true\n{CHARMS}x,perhaps\n"
        found = problems(send(boss, "creditcourse", content))
        assert [text.split(":")[0] for text in found] == ["Line 4", "Line 5"]
        assert CreditCourse.objects.count() == 1

    @pytest.mark.parametrize("limit", ["MOST_LINES", "MOST_BYTES"])
    def test_files_are_bounded(self, boss, monkeypatch, limit):
        monkeypatch.setattr(transfer, limit, 2)
        content = "course_key\n" + "".join(f"course-v1:A+B+{n}\n" for n in range(3))
        [problem] = problems(send(boss, "creditcourse", content))
        assert "at most" in problem
        assert not CreditCourse.objects.exists()


@pytest.mark.rule("credit.admin.export")
class TestExport:
    def test_formulas_are_escaped_and_come_back_as_they_were(self, boss):
        texts = ["=1+1", "+1", "-1", "@x", "'=y", "plain", "Universität 李"]
        for n, text in enumerate(texts):
            CreditProviderFactory(provider_id=f"p{n}", display_name=text, provider_description=text)
        content = export(boss, "creditprovider")
        rows = list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))
        assert [row["display_name"] for row in rows] == [
            "'=1+1",
            "'+1",
            "'-1",
            "'@x",
            "''=y",
            "plain",
            "Universität 李",
        ]

        CreditProvider.objects.update(display_name="lost")
        send(boss, "creditprovider", content)
        names = CreditProvider.objects.order_by("provider_id").values_list("display_name", flat=True)
        assert list(names) == texts

    def test_every_file_can_be_imported_again(self, boss, hogwarts):
        CreditCourseFactory()
        CourseExamFactory()
        for model in MODELS:
            response = send(boss, model, export(boss, model))
            assert told(response)[-1] == ("success", "Imported: 0 new, 0 changed, 1 the same."), problems(response)

    def test_it_heeds_search_and_filters(self, boss):
        CreditProviderFactory(provider_id="one")
        CreditProviderFactory(provider_id="two", active=False)
        assert b"two" not in export(boss, "creditprovider", active__exact="1")
        assert b"one" not in export(boss, "creditprovider", q="two")


@pytest.mark.rule("credit.admin.permissions")
@pytest.mark.parametrize("model", MODELS)
def test_who_may_only_look_exports_and_does_not_import(client, model):
    clerk(client, f"view_{model}")
    page = client.get(url(model)).content.decode()
    assert (url(model, "export") in page, url(model, "import") in page) == (True, False)
    assert client.get(url(model, "export")).status_code == 200
    assert client.get(url(model, "import")).status_code == 403
    assert send(client, model, "course_key\n").status_code == 403

    clerk(client, f"add_{model}")
    assert client.get(url(model, "export")).status_code == 403
    assert client.get(url(model, "import")).status_code == 403
