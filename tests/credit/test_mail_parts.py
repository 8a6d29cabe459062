"""Styles, template and logo: moved in, cached, and missing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine
from django.core.cache import cache
from django.template import engines
from django.utils import timezone

from credit import email_utils
from credit.email_utils import attach_image, file_path_finder, with_inline_css
from credit.mail_parts import HTML_CACHE_KEY, HTML_TEMPLATE, LOGO_CACHE_KEY
from tests.credit.factories import CreditProviderFactory
from tests.credit.mail import WireMail, name_course, owe_mail
from tests.enrollment.factories import UserFactory

STYLES = "p { color: #102030 } .loud { color: #405060 } @media (max-width: 9px) { p { color: #708090 !important } }"
LOGO = "templates/credit_notifications/edx-logo-header.png"


@pytest.fixture
def stylesheet(tmp_path, settings) -> Path:
    path = tmp_path / "mail.css"
    path.write_text(STYLES)
    settings.NOTIFICATION_EMAIL_CSS = str(path)
    return path


@pytest.fixture
def own_templates(tmp_path, settings) -> Path:
    """A folder whose templates win over the apps'."""
    folder = tmp_path / "templates"
    (folder / "credit" / "email").mkdir(parents=True)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder]}]
    return folder


def build(user=None):
    eligibility = owe_mail(user or UserFactory())
    learner = email_utils.ports.learners().by_username(eligibility.username)
    return WireMail.parse(email_utils.eligibility_mail(eligibility, learner).message().as_bytes())


def normal(html: str) -> str:
    """Return HTML without the white space that nobody sees."""
    return re.sub(r"\s+", " ", re.sub(r">\s+|\s+<|\s+(?={%)", lambda gap: gap[0].strip(), html)).strip()


class TestWithInlineCss:
    def test_rules_move_into_the_elements_and_media_rules_into_the_head(self, stylesheet):
        styled = with_inline_css('<!DOCTYPE html><html><body><p class="loud">Hi</p></body></html>')
        assert styled.startswith("<!DOCTYPE html>")
        assert '<p class="loud" style="color:#405060">Hi</p>' in styled
        assert re.search(r"<style[^>]*>@media \(max-width: 9px\) \{\s*p \{\s*color: #708090 !important", styled)

    @pytest.mark.parametrize("path", ["/nowhere/mail.css", "nowhere/mail.css", "/"])
    def test_without_a_stylesheet_nothing_changes(self, settings, path):
        settings.NOTIFICATION_EMAIL_CSS = path
        assert with_inline_css("<p>Hi</p>") == "<p>Hi</p>"

    @pytest.mark.parametrize("html", ["", " \n", "{{ greeting }}"])
    def test_what_has_no_elements_is_not_changed(self, stylesheet, html):
        assert with_inline_css(html) == html

    def test_a_stylesheet_without_sense_changes_nothing(self, stylesheet, caplog):
        stylesheet.write_bytes(b"\xff\xfe\x00")
        assert with_inline_css("<p>Hi</p>") == "<p>Hi</p>"
        assert "without styles" in caplog.text

    @pytest.mark.parametrize(
        "tags",
        [
            pytest.param("<p>{{ a }}</p>", id="text"),
            pytest.param("<p>{% if a > b and c < d %}x{% endif %}</p>", id="comparison"),
            pytest.param('<p>{{ a|default:"<b>" }}</p>', id="quotes and brackets"),
            pytest.param('<a href="{{ a }}" title="{% translate "x" %} - {{ b }}">x</a>', id="attributes"),
            pytest.param('<p {% if a %} id="x" {% endif %}>x</p>', id="between attributes"),
            pytest.param("<table>{% for x in y %}<tr><td>{{ x }}</td></tr>{% endfor %}</table>", id="between rows"),
            pytest.param("<ul>{% for x in y %}<li>{{ x }}</li>{% endfor %}</ul>", id="between items"),
            pytest.param("{# a comment #}{% with a=b %}{{ a }}{% endwith %}", id="outside of everything"),
            pytest.param("<textarea>{{ a }}</textarea><script>{{ b }}</script><!-- {{ c }} -->", id="raw text"),
        ],
    )
    def test_template_tags_come_through_where_they_are(self, stylesheet, tags):
        page = (
            "{% load i18n %}{% autoescape on %}\n<!DOCTYPE html>\n<html><head>{% block head %}{% endblock %}"
            f"<title>{{{{ a }}}}</title></head><body>{tags}</body></html>\n{{% endautoescape %}}\n"
        )
        styled = with_inline_css(page)
        assert "style" in styled
        without_styles = re.sub(r'<style.*?</style>| style="color:#102030"', "", styled, flags=re.DOTALL)
        assert normal(without_styles) == normal(page)

    def test_a_template_that_would_lose_tags_is_not_styled(self, stylesheet, caplog):
        page = "<html><body><p>Hi</p></body></html>{% endif %}"
        assert with_inline_css(page) == page
        assert "lose template tags" in caplog.text


@pytest.mark.django_db
@pytest.mark.rule("credit.mail.styles")
def test_styles_moved_before_rendering_are_those_moved_after_it():
    name_course("Potions & <Practice>")
    CreditProviderFactory(display_name="Ünï")
    engine = engines["django"]
    source = engine.get_template(HTML_TEMPLATE).template.source
    eligibility = owe_mail()
    for full_name in ("Ron", ""):
        learner = email_utils.Learner(1, "ron", "ron@example.com", full_name, is_staff=False, is_active=True)
        context = {**email_utils.mail_context(eligibility, learner), "branded_logo": full_name and "logo-1"}
        before = engine.from_string(with_inline_css(source)).render(context)
        after = with_inline_css(engine.from_string(source).render(context))
        assert normal(before) == normal(after)


@pytest.mark.django_db
@pytest.mark.rule("credit.mail.cache")
class TestCaches:
    def test_the_template_is_styled_once(self):
        build()
        styled = cache.get(HTML_CACHE_KEY)
        assert "{{ full_name }}" in styled
        assert 'style="' in styled
        cache.set(HTML_CACHE_KEY, styled.replace("<body", "<body id='cached'"))
        assert "<body id='cached'" in build().html

    def test_two_mails_share_the_logos_id_until_the_cache_forgets_it(self, settings):
        settings.CACHES = {
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        }  # a clock we can set
        settings.CREDIT_NOTIFICATION_CACHE_TIMEOUT = 60
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            first, second = build().image["Content-ID"], build().image["Content-ID"]
            clock.shift(61)
            third = build()
        assert first == second != third.image["Content-ID"]
        assert f"cid:{third.image['Content-ID'].strip('<>')}" in third.html

    def test_the_logo_is_read_once(self, tmp_path, settings):
        path = tmp_path / "logo.png"
        path.write_bytes(Path(file_path_finder(LOGO)).read_bytes())
        settings.NOTIFICATION_EMAIL_EDX_LOGO = str(path)
        build()
        path.unlink()
        assert build().image.get_content_type() == "image/png"

    def test_a_missing_logo_is_looked_for_again(self, settings):
        settings.NOTIFICATION_EMAIL_EDX_LOGO = "nowhere.png"
        build()
        assert cache.get(LOGO_CACHE_KEY) is None


@pytest.mark.django_db
@pytest.mark.rule("credit.mail.degrades")
class TestMissingFiles:
    def test_without_logo_the_mail_names_the_platform(self, settings):
        settings.NOTIFICATION_EMAIL_EDX_LOGO = "nowhere.png"
        mail = build()
        assert mail.types == ["multipart/alternative", "text/plain", "text/html"]
        assert '<p class="brand"' in mail.html
        assert "<img" not in mail.html

    def test_without_stylesheet_the_mail_is_plain(self, settings):
        settings.NOTIFICATION_EMAIL_CSS = "nowhere.css"
        assert "style=" not in build().html

    def test_without_html_template_the_text_still_leaves(self, settings, caplog):
        settings.TEMPLATES = [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [("django.template.loaders.locmem.Loader", {email_utils.TEXT_TEMPLATE: "Hello, you."})]
                },
            }
        ]
        mail = build()
        assert mail.types == ["multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png"]
        assert mail.text == "Hello, you."
        assert mail.html == ""
        assert HTML_TEMPLATE in caplog.text

    def test_a_sites_own_template_is_styled_and_used(self, own_templates, stylesheet):
        (own_templates / HTML_TEMPLATE).write_text("<!DOCTYPE html><html><body><p>{{ full_name }}</p></body></html>")
        html = build(UserFactory(first_name="A&B", last_name="")).html
        assert '<p style="color:#102030">A&amp;B</p>' in html


class TestAttachImage:
    def test_the_part_is_inline_and_has_the_id(self):
        part = attach_image({"title": "Logo", "path": LOGO, "cid": "logo-1@example"}, "mark.png")
        assert part.get_content_type() == "image/png"
        assert part["Content-ID"] == "<logo-1@example>"
        assert part["Content-Disposition"] == 'inline; filename="mark.png"'

    def test_an_absolute_path_is_taken_as_it_is(self):
        path = file_path_finder(LOGO)
        assert path.startswith("/")
        assert attach_image({"title": "Logo", "path": path, "cid": "x"}, "x.png") is not None

    @pytest.mark.parametrize("path", ["nowhere.png", "/nowhere/logo.png"])
    def test_a_missing_file_is_no_part(self, path):
        assert attach_image({"title": "Logo", "path": path, "cid": "x"}, "x.png") is None


def test_a_missing_static_file_has_no_path():
    assert file_path_finder("nowhere.png") is None


@pytest.mark.rule("credit.mail.lazy-inliner")
def test_the_inliner_is_not_imported_before_it_is_needed():
    code = "import django, sys; django.setup(); import credit.tasks; sys.exit('premailer' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"DJANGO_SETTINGS_MODULE": "settings.test"})
