"""The learner's own pages over HTTP: what they show, to whom, and what the browser may do with them."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from credit.learner_pages.addresses import origin_of
from credit.models import CreditAudit, CreditRequest
from tests.credit.conftest import SECRET
from tests.credit.factories import (
    CreditCourseFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
    enroll,
)
from tests.enrollment.factories import UserFactory
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("credit.learner-pages")]

LIST = "/credit/"
POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
COURSE = f"/credit/courses/{POTIONS}/"
ASK = f"{COURSE}providers/hogwarts/"


@pytest.fixture(autouse=True)
def _feature_is_on(settings):
    settings.FEATURES = {"ENABLE_CREDIT_ELIGIBILITY": True}


@pytest.fixture
def browser(client, ron):
    """The learner's browser."""
    client.force_login(ron)
    return client


def text_of(response) -> str:
    """Return what a page says, without its elements and with single spaces."""
    page = re.sub(r"<(head|style)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"</?bdi>", "", page)).replace("\u2068", "").replace("\u2069", "").split())


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text_of(response)).split())


def directive(response, name) -> list[str]:
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    return policy[name].split()


class TestWhoSees:
    @pytest.mark.parametrize("path", [LIST, COURSE, ASK])
    def test_somebody_who_is_not_logged_in_is_sent_to_log_in(self, client, path):
        response = client.get(path)
        assert (response.status_code, unquote(response["Location"])) == (302, f"{reverse('login')}?next={path}")

    def test_nothing_can_be_asked_without_logging_in(self, client, eligible_ron, hogwarts):
        assert client.post(ASK).status_code == 302
        assert not CreditRequest.objects.exists()

    @pytest.mark.parametrize("is_staff", [False, True])
    def test_nobody_sees_or_uses_what_is_another_learners(self, client, eligible_ron, hogwarts, is_staff):
        CreditRequestFactory(course__course_key=POTIONS, provider=hogwarts)
        client.force_login(UserFactory(username="hermione", is_staff=is_staff))
        assert "Potions" not in words(client.get(LIST))
        assert client.get(COURSE).status_code == 404
        assert client.get(f"{COURSE}?username=ron").status_code == 404
        assert client.post(ASK, {"username": "ron"}).status_code == 400
        assert CreditRequest.objects.get().username == "ron"

    @pytest.mark.parametrize("path", [LIST, COURSE])
    def test_no_cache_keeps_a_page(self, browser, eligible_ron, path):
        assert "no-store" in browser.get(path)["Cache-Control"]

    def test_while_the_feature_is_off_nothing_is_shown(self, browser, eligible_ron, settings):
        settings.FEATURES = {}
        assert "Potions" not in words(browser.get(LIST))
        assert browser.get(COURSE).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("post", LIST, 405, id="the list is read only"),
        pytest.param("post", COURSE, 405, id="a course is read only"),
        pytest.param("delete", ASK, 405, id="requests are not deleted"),
        pytest.param("head", LIST, 200, id="HEAD"),
        pytest.param("get", "/credit/courses/HogwartsX/Potions101/1T2026/", 404, id="another form of the key"),
        pytest.param("get", "/credit/courses/a+b+c/", 404, id="no course key"),
        pytest.param("get", "/credit/courses/library-v1:a+b+c/", 404, id="a library"),
        pytest.param("get", "/credit/courses/course-v1:a+b+%00/", 404, id="NUL"),
        pytest.param("get", f"/credit/courses/course-v1:a+b+{'c' * 300}/", 404, id="too long"),
        pytest.param("post", "/credit/courses/a+b+c/providers/hogwarts/", 404, id="asking, no course key"),
        pytest.param("post", f"{COURSE}providers/no_id!/", 404, id="asking, no provider id"),
    ],
)
def test_other_calls(browser, eligible_ron, method, path, status):
    assert getattr(browser, method)(path).status_code == status


def test_the_old_form_of_course_keys_works(browser, ron):
    requirement = CreditRequirementFactory(course__course_key="HogwartsX/Charms/1T2026")
    enroll(ron, requirement.course)
    assert "Charms" in words(browser.get("/credit/courses/HogwartsX/Charms/1T2026/"))
    assert 'href="/credit/courses/HogwartsX/Charms/1T2026/"' in browser.get(LIST).content.decode()


class TestMyCredit:
    def test_without_courses_it_says_how_to_get_there(self, client):
        client.force_login(UserFactory())
        assert "You have no course with university credit yet." in words(client.get(LIST))

    def test_what_is_missing_is_named(self, browser, ron, grade, exam):
        CreditRequirementStatusFactory(requirement=exam)
        assert "1 of 2 requirements met Still missing: Minimum grade (At least 80%)" in words(browser.get(LIST))

    def test_what_has_to_be_done_comes_first(self, browser, ron, potions):
        def course(name, **row):
            course = CreditCourseFactory(course_key=f"course-v1:X+{name}+1")
            enroll(ron, course)
            CreditEligibilityFactory(course=course, **row)
            return course

        CreditRequestFactory(course=course("Over"), status="approved")
        CreditRequestFactory(course=course("Waiting"))
        course("Later")
        course("Soon", deadline=timezone.now() + timedelta(days=3))
        order = re.findall(r"courses/course-v1:\w+\+(\w+)\+", browser.get(LIST).content.decode())
        assert order == ["Soon", "Later", "Potions101", "Waiting", "Over"]


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        pytest.param(timedelta(days=31), "You can ask until ", id="time enough"),
        pytest.param(timedelta(days=30, hours=1), "You can ask until ", id="thirty days"),
        pytest.param(timedelta(days=29, hours=23), "29 days left: you can ask until ", id="urgent"),
        pytest.param(timedelta(days=1, hours=1), "1 day left: you can ask until ", id="one day"),
        pytest.param(timedelta(hours=5), "Last day: you can ask until ", id="the last day"),
        pytest.param(-timedelta(hours=5), "The last day was ", id="over"),
    ],
)
def test_the_deadline_becomes_urgent(browser, ron, potions, left, shown):
    CreditEligibilityFactory(course=potions, deadline=timezone.now() + left)
    for path in (LIST, COURSE):
        response = browser.get(path)
        assert shown in words(response)
        assert ('class="deadline urgent"' in text_of(response)) == (timedelta(0) < left < timedelta(days=30))


@pytest.mark.parametrize(
    ("namespace", "criteria", "status", "reason", "shown"),
    [
        pytest.param("grade", {"min_grade": 0.8}, None, None, "Minimum grade At least 80% Still to do", id="to do"),
        pytest.param(
            "grade", {"min_grade": 0.555}, "satisfied", {"final_grade": 0.95},
            "Minimum grade At least 55.5% Your grade: 95% Met", id="met",
        ),
        pytest.param("grade", {}, "satisfied", {"final_grade": "0.9"}, "grade Your grade: 90% Met", id="grade as text"),
        pytest.param("grade", None, "satisfied", None, "Minimum grade Met", id="nothing known"),
        pytest.param("grade", [1], "failed", {"final_grade": 7}, "Minimum grade Not met", id="nonsense"),
        pytest.param(
            "grade", {"min_grade": True}, "failed", {"deadline": "2026-01-01", "current_date": "2026-02-01"},
            "Minimum grade Reached after the end of the course Not met", id="too late",
        ),
        pytest.param("proctored_exam", {}, "submitted", None, "Final Proctored exam Being reviewed", id="reviewed"),
        pytest.param("proctored_exam", {}, "declined", None, "Final Proctored exam Declined", id="declined"),
        pytest.param("other", {}, "failed", {"final_grade": 0.5}, "Final Not met", id="another kind"),
    ],
)  # fmt: skip
def test_requirements_are_told_in_words(browser, ron, potions, namespace, criteria, status, reason, shown):
    name = "grade" if namespace == "grade" else "final"
    requirement = CreditRequirementFactory(
        course=potions, namespace=namespace, name=name, display_name="Final", criteria=criteria
    )
    if status:
        CreditRequirementStatusFactory(requirement=requirement, status=status, reason=reason)
    assert shown in words(browser.get(COURSE))


class TestProviders:
    def test_before_eligibility_they_are_shown_and_cannot_be_asked(self, browser, ron, grade, hogwarts):
        response = browser.get(COURSE)
        assert "Universities that give credit Hogwarts School A very good university." in words(response)
        assert f'action="{ASK}"' not in response.content.decode()

    def test_texts_are_harmless(self, browser, eligible_ron, hogwarts):
        hogwarts.provider_description = "<script>x()</script><p onclick='x()'>Old <b>school</b></p>"
        hogwarts.fulfillment_instructions = "Bring\nan <owl>"
        hogwarts.display_name = "<i>Hogwarts</i>"
        hogwarts.save()
        page = browser.get(COURSE).content.decode()
        assert "<p>Old <b>school</b></p>" in page
        assert "<script" not in page
        assert "onclick" not in page
        assert "<i>" not in page

    @pytest.mark.parametrize(
        ("changes", "status", "shown", "button"),
        [
            pytest.param({}, None, "Ask Hogwarts School for credit", True, id="to be asked"),
            pytest.param({}, "pending", "Send the request to Hogwarts School again", True, id="asked"),
            pytest.param({}, "approved", "Hogwarts School Approved", False, id="approved"),
            pytest.param({}, "rejected", "Hogwarts School Rejected", False, id="rejected"),
            pytest.param({"provider_url": ""}, None, "cannot take your request now", False, id="not set up"),
            pytest.param(
                {"enable_integration": False}, None, "Ask for credit on the site of Hogwarts School", False, id="link"
            ),
            pytest.param({"active": False}, "pending", "Hogwarts School Pending", False, id="closed since"),
        ],
    )
    def test_what_can_be_done(self, browser, eligible_ron, potions, hogwarts, changes, status, shown, button):
        CreditProviderFactory(provider_id="other", display_name="Other")
        for name, value in changes.items():
            setattr(hogwarts, name, value)
        hogwarts.save()
        if status:
            CreditRequestFactory(course=potions, provider=hogwarts, status=status)
        response = browser.get(COURSE)
        assert shown in words(response)
        assert (f'action="{ASK}"' in response.content.decode()) == button
        assert "Ask Other for credit" in words(response)

    def test_a_link_leads_to_the_provider(self, browser, eligible_ron, hogwarts):
        hogwarts.enable_integration = False
        hogwarts.save()
        assert 'href="https://credit.example.com/request"' in browser.get(COURSE).content.decode()

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://example.com/", "//example.com", "https://a;b/", "x"])
    def test_an_address_that_is_none_is_not_linked(self, browser, eligible_ron, hogwarts, url):
        type(hogwarts).objects.update(
            provider_url=url, thumbnail_url=url, provider_status_url=url, enable_integration=False
        )
        response = browser.get(COURSE)
        assert f'="{url}"' not in response.content.decode()
        assert directive(response, "img-src") == ["'self'", "data:"]
        assert browser.post(ASK).status_code == 400


class TestAsking:
    def test_the_form_carries_what_the_api_signed_to_the_provider(self, browser, eligible_ron, hogwarts):
        response = browser.post(ASK)
        request = CreditRequest.objects.get()
        page = response.content.decode().partition("<main")[2]
        fields = {unescape(k): unescape(v) for k, v in re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', page)}
        signature = fields.pop("signature")
        assert response.status_code == 200
        assert fields == {name: str(value) for name, value in request.parameters.items()}
        assert len(signature) == 64
        assert '<form class="actions" method="post" action="https://credit.example.com/request"' in page
        assert "Name Ronald Weasley Username ron E-mail address ron@example.com Country GB" in words(response)
        assert (request.username, CreditAudit.objects.get().source) == ("ron", "learner")

    def test_asking_again_keeps_the_request(self, browser, eligible_ron, hogwarts):
        pages = [browser.post(ASK).content.decode() for _ in range(2)]
        uuids = {re.search(r'name="request_uuid" value="(\w{32})"', page)[1] for page in pages}
        assert uuids == {CreditRequest.objects.get().uuid}

    def test_a_provider_without_integration_gets_no_form(self, browser, eligible_ron, hogwarts):
        hogwarts.enable_integration = False
        hogwarts.save()
        response = browser.post(ASK)
        assert 'href="https://credit.example.com/request"' in response.content.decode()
        assert not CreditRequest.objects.exists()

    def test_the_address_alone_leads_to_the_course(self, browser, eligible_ron):
        response = browser.get(ASK)
        assert (response.status_code, response["Location"]) == (302, COURSE)

    def test_only_our_own_page_can_ask(self, eligible_ron, hogwarts):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(eligible_ron)
        assert browser.post(ASK).status_code == 403
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(COURSE).content.decode())[1]
        assert browser.post(ASK, {"csrfmiddlewaretoken": token}).status_code == 200

    @pytest.mark.parametrize(
        ("spoil", "title"),
        [
            pytest.param("eligibility", "You cannot ask for credit in this course now", id="not eligible any more"),
            pytest.param("grade", "You cannot ask for credit in this course now", id="no final grade"),
            pytest.param("key", "This university cannot take your request now", id="no key"),
            pytest.param("active", "This university cannot take your request now", id="provider closed"),
            pytest.param("provider", "This university cannot take your request now", id="unknown provider"),
            pytest.param("decided", "The university has decided already", id="decided already"),
        ],
    )
    def test_what_cannot_be_asked_is_explained(self, browser, eligible_ron, potions, hogwarts, settings, spoil, title):
        if spoil == "eligibility":
            potions.eligibilities.update(deadline=timezone.now())
        elif spoil == "grade":
            potions.credit_requirements.get().statuses.all().delete()
        elif spoil == "key":
            settings.CREDIT_PROVIDER_SECRET_KEYS = {}
        elif spoil == "active":
            type(hogwarts).objects.update(active=False)
        elif spoil == "provider":
            hogwarts.delete()
        else:
            CreditRequestFactory(course=potions, provider=hogwarts, status="rejected")
        before = list(CreditRequest.objects.values())

        response = browser.post(ASK)

        assert response.status_code == 400
        assert title in words(response)
        assert f'href="{COURSE}"' in response.content.decode()
        assert list(CreditRequest.objects.values()) == before


class TestPolicy:
    def test_pages_load_our_style_and_the_logos_shown(self, browser, eligible_ron, hogwarts):
        hogwarts.thumbnail_url = "https://cdn.example.com:8443/logo.png"
        hogwarts.save()
        response = browser.get(COURSE)
        assert response["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self' data: https://cdn.example.com:8443; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )

    def test_the_form_may_go_to_its_provider_and_nowhere_else(self, browser, eligible_ron, hogwarts):
        CreditProviderFactory(provider_url="https://other.example.com/")
        response = browser.post(ASK)
        assert directive(response, "form-action") == ["'self'", "https://credit.example.com"]
        assert response["Referrer-Policy"] == "strict-origin"

    def test_static_files_may_live_elsewhere(self, browser, ron, settings):
        settings.STATIC_URL = "https://static.example.com/"
        assert directive(browser.get(LIST), "style-src") == ["'self'", "https://static.example.com"]

    @pytest.mark.parametrize(
        ("address", "origin"),
        [
            ("https://Credit.Example.com/a?b#c", "https://credit.example.com"),
            ("http://127.0.0.1:8001/x", "http://127.0.0.1:8001"),
            ("https://user:password@example.com/", "https://example.com"),
            ("https://bücher.example/", "https://xn--bcher-kva.example"),
            ("https://example.com:99999/", ""),
            ("https://a b/", ""),
            ("https://a;script-src/", ""),
            ("https://[::1]/", ""),
            ("https://" + "a" * 300 + ".example/", ""),
            ("/relative", ""),
            ("", ""),
        ],
    )
    def test_origins(self, address, origin):
        assert origin_of(address) == origin


@pytest.mark.parametrize("count", [1, 30])
def test_any_number_of_courses_takes_as_many_statements(browser, ron, count):
    provider = CreditProviderFactory()
    for _ in range(count):
        requirement = CreditRequirementFactory(course=CreditCourseFactory())
        enroll(ron, requirement.course)
        CreditRequirementStatusFactory(requirement=requirement)
        CreditEligibilityFactory(course=requirement.course)
        CreditRequestFactory(course=requirement.course, provider=provider)
    browser.get(LIST)
    with statements() as run:
        assert browser.get(LIST).content.decode().count('class="card"') == count + 1
    assert len(run) == 9, str(run)


@pytest.mark.parametrize("count", [1, 10])
def test_any_number_of_providers_takes_as_many_statements(browser, eligible_ron, settings, count):
    for number in range(count):
        CreditProviderFactory(provider_id=f"u{number}")
    settings.CREDIT_PROVIDER_SECRET_KEYS = {f"u{number}": SECRET for number in range(count)}
    browser.get(COURSE)
    with statements() as run:
        assert browser.get(COURSE).content.decode().count("<h3>") == count
    assert len(run) == 13, str(run)  # the list of providers twice: not from the cache in the transaction of a test


def test_a_help_link_is_shown_if_there_is_one(browser, ron, settings):
    assert "Help with credit" not in words(browser.get(LIST))
    settings.CREDIT_HELP_LINK_URL = "https://help.example.com/"
    assert 'href="https://help.example.com/"' in browser.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        pytest.param(timedelta(days=90), "has not granted credit. If another university", id="others can be asked"),
        pytest.param(
            -timedelta(days=1), "Rejected Hogwarts School has not granted credit. The last day", id="too late"
        ),
    ],
)
def test_a_rejection_is_told_before_what_else_can_be_done(browser, ron, potions, hogwarts, left, shown):
    CreditEligibilityFactory(course=potions, deadline=timezone.now() + left)
    CreditRequestFactory(course=potions, provider=hogwarts, status="rejected")
    assert shown in words(browser.get(LIST))
    assert "The next step is to ask" not in words(browser.get(LIST))


@pytest.mark.parametrize("charset", ["zlib", "rot13", "nonsense"])
def test_a_form_in_a_charset_that_is_none_is_refused(eligible_ron, charset):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(eligible_ron)
    browser.get(COURSE)
    body = b'--b\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\nx\r\n--b--\r\n'
    response = browser.generic("POST", ASK, body, content_type=f"multipart/form-data; boundary=b; charset={charset}")
    assert response.status_code == 403
