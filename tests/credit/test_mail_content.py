"""What the mail says, to whom, and how it looks on the wire."""

import re

import pytest
from django.utils import translation

from credit import email_utils, mail_parts, ports
from credit.backends import EnrolledLearners, SettingsSite
from credit.types import Profile
from tests.credit.factories import CreditCourseProviderFactory, CreditProviderFactory
from tests.credit.mail import COURSE, WireMail, name_course, owe_mail
from tests.enrollment.factories import LearnerProfileFactory, UserFactory

pytestmark = pytest.mark.django_db

HEBREW = "האוניברסיטה העברית"
ARABIC = "السحر"


@pytest.fixture
def sent(mailoutbox):
    """Return a function that sends the mail owed to a learner and returns it as parsed from its bytes."""

    def send(user=None, **row) -> WireMail:
        eligibility = owe_mail(user, **row)
        assert email_utils.send_credit_notifications(eligibility.username, eligibility.course.course_key) is True
        return WireMail.parse(mailoutbox[-1].message().as_bytes())

    return send


@pytest.mark.rule("credit.mail.structure")
def test_text_comes_before_html_and_both_before_the_image_that_html_shows(sent):
    mail = sent()
    assert mail.types == ["multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png"]
    assert mail.root.get_param("type") == "multipart/alternative"
    assert mail.image["Content-Disposition"] == 'inline; filename="logo.png"'
    assert mail.image.get_content().startswith(b"\x89PNG")
    assert f'src="cid:{mail.image["Content-ID"].strip("<>")}"' in mail.html


@pytest.mark.rule("credit.mail.recipient")
def test_only_the_account_gets_it_from_the_site(sent, settings):
    settings.DEFAULT_FROM_EMAIL = "The Site <credit@example.edu>"
    mail = sent(UserFactory(username="ron", email="ron@example.com"))
    assert mail.root["To"] == "ron@example.com"
    assert mail.root["From"] == "The Site <credit@example.edu>"
    assert mail.root["Cc"] is mail.root["Bcc"] is mail.root["Reply-To"] is None
    assert mail.root["Auto-Submitted"] == "auto-generated"


class CollegeSite(SettingsSite):
    def platform_name(self) -> str:
        return "The College"

    def site_host(self) -> str:
        return "college.example:8443"

    def from_address(self) -> str:
        return "registrar@college.example"

    def dashboard_path(self) -> str:
        return "/my"

    def courses_path(self) -> str:
        return "/catalogue"


@pytest.mark.rule("credit.mail.site")
def test_a_host_says_how_its_site_presents_itself(sent, settings):
    settings.CREDIT_PORTS = {"site": f"{__name__}.CollegeSite"}
    mail = sent()
    assert mail.root["From"] == "registrar@college.example"
    assert mail.root["Message-ID"].endswith("@college.example-8443>")
    for part in (mail.text, mail.html):
        assert "The College" in part
        assert "https://college.example:8443/my" in part
        assert "https://college.example:8443/catalogue?type=credit" in part


@pytest.mark.rule("credit.mail.providers")
@pytest.mark.parametrize(
    ("names", "subject", "phrase"),
    [
        pytest.param([], "Course Credit Eligibility", "eligible for credit for Potions.", id="none"),
        pytest.param(["A"], "You are eligible for credit from A", "credit from A for Potions.", id="one"),
        pytest.param(
            ["A", "B"], "You are eligible for credit from A and B", "credit from A and B for Potions.", id="two"
        ),
        pytest.param(
            ["A", "B", "C"],
            "You are eligible for credit from A, B, and C",
            "credit from A, B, and C for Potions.",
            id="three",
        ),
    ],
)
def test_providers_are_named_if_they_are_known(sent, names, subject, phrase):
    name_course("Potions")
    for name in names:
        CreditProviderFactory(display_name=name)
    CreditProviderFactory(display_name="Closed", active=False)

    mail = sent()

    assert mail.root["Subject"] == subject
    assert phrase in mail.text
    assert phrase in mail.html
    assert "Closed" not in mail.html


class UnknownCommerce:
    def credit_provider_ids(self, course_key):
        raise ConnectionError("the shop is closed")


@pytest.mark.rule("credit.mail.providers")
def test_providers_that_cannot_be_found_out_do_not_hold_the_mail(sent, settings):
    settings.CREDIT_PORTS = {"commerce": f"{__name__}.UnknownCommerce"}
    CreditProviderFactory(display_name="Durmstrang")
    mail = sent()
    assert mail.root["Subject"] == "Course Credit Eligibility"
    assert "Durmstrang" not in mail.text + mail.html


@pytest.mark.rule("credit.mail.message")
def test_both_parts_say_the_two_steps_and_that_they_are_needed(sent):
    mail = sent()
    for part in (mail.text, mail.html):
        assert "Buy the credit" in part
        assert "Request it from the credit provider" in part
        assert "does not yet put credit on a transcript" in part
        assert "https://localhost/dashboard" in part


@pytest.mark.rule("credit.mail.message")
@pytest.mark.parametrize(
    ("first", "last", "greeting"),
    [
        pytest.param("Ron", "Weasley", "Hello Ron Weasley,", id="first and last name"),
        pytest.param("", "", "Hello,", id="no name"),
        pytest.param("Zoë", "Łukasiewicz-Đặng", "Hello Zoë Łukasiewicz-Đặng,", id="not ASCII"),
        pytest.param("عبد الله", "محمد", "Hello \u2068عبد الله محمد\u2069,", id="right to left"),
        pytest.param("田中", "🎓", "Hello 田中 🎓,", id="outside the basic plane"),
        pytest.param(
            "Ron\r\nBcc: all@example.com", "\x07\u2028W", "Hello Ron Bcc: all@example.com W,", id="control signs"
        ),
    ],
)
def test_learners_are_greeted_by_full_name(sent, first, last, greeting):
    mail = sent(UserFactory(username="ron", first_name=first, last_name=last))
    assert greeting in mail.text.splitlines()
    assert f">{greeting}<" in mail.html
    assert mail.root["Bcc"] is None


@pytest.mark.rule("credit.mail.message")
def test_a_course_without_a_name_is_called_by_its_key(sent):
    mail = sent()
    assert f"credit for {COURSE}." in mail.text
    assert COURSE in mail.html


@pytest.mark.rule("credit.mail.message")
def test_names_cannot_forge_headers(sent):
    CreditProviderFactory(display_name="Bad\r\nBcc: all@example.com\r\n\r\nforged body")
    CreditProviderFactory(display_name="Ünï\nX-Forged: yes")
    mail = sent()
    assert mail.root["Subject"] == (
        "You are eligible for credit from Bad Bcc: all@example.com forged body and Ünï X-Forged: yes"
    )
    assert mail.root["Bcc"] is mail.root["X-Forged"] is None
    assert mail.types[0] == "multipart/related"


@pytest.mark.rule("credit.mail.message")
def test_html_shows_every_value_as_text(sent, settings):
    nasty = "<script>alert('&')</script>"
    shown = "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;"
    settings.PLATFORM_NAME = settings.SITE_NAME = settings.CREDIT_TRACKING_PIXEL_URL = nasty
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {"autoescape": False}}]
    name_course(nasty)
    CreditProviderFactory(display_name=nasty, eligibility_email_message="Welcome")

    mail = sent(UserFactory(username="ron", first_name=nasty, last_name=""))

    assert "<script>" not in mail.html
    assert mail.html.count(shown) >= 8
    assert f"Hello {nasty}," in mail.text
    assert f"credit from {nasty} for {nasty}." in mail.text


@pytest.mark.rule("credit.mail.provider-message")
@pytest.mark.parametrize(
    ("message", "html", "text"),
    [
        pytest.param("Hello\nthere & <you", "<p>Hello<br>there &amp; &lt;you</p>", "Hello\nthere & <you", id="text"),
        pytest.param("Line <b>one</b>\ntwo", "<p>Line <b>one</b><br>two</p>", "Line one\ntwo", id="text with markup"),
        pytest.param(
            "<p>Bring <em>ink</em>.</p><ul><li>A</li><li>B</li></ul>",
            "<p>Bring <em>ink</em>.</p><ul><li>A</li><li>B</li></ul>",
            "Bring ink.\nA\nB",
            id="harmless HTML",
        ),
        pytest.param(
            '<p onclick="x()" style="color:red">Hi<script>x()</script><img src="https://spy.example/1.gif"></p>',
            "<p>Hi</p>",
            "Hi",
            id="scripts, styles and images",
        ),
        pytest.param(
            '<p><a href="https://example.com/a?b=1&amp;c=2" target="_top">page</a> <a href="javascript:x()">no</a></p>',
            '<p><a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer">page</a> '
            '<a rel="noopener noreferrer">no</a></p>',
            "page no",
            id="links",
        ),
        pytest.param("<p>1 &lt; 2 &amp; 3</p>", "<p>1 &lt; 2 &amp; 3</p>", "1 < 2 & 3", id="entities"),
        pytest.param("</div></td></table><p>Out</p>", "<p>Out</p>", "Out", id="does not break out of its block"),
    ],
)
def test_providers_messages_are_shown_as_harmless_html_and_as_text(sent, message, html, text):
    CreditProviderFactory(display_name="Hogwarts", eligibility_email_message=message)
    mail = sent()
    assert html in mail.html
    assert f"From Hogwarts:\n\n{text}\n" in mail.text


@pytest.mark.rule("credit.mail.provider-message")
def test_each_provider_of_the_course_with_a_message_gets_a_block(sent):
    eligibility = owe_mail(UserFactory(username="hermione"))
    own = [
        CreditProviderFactory(display_name="A", eligibility_email_message="Message of A"),
        CreditProviderFactory(display_name="B", eligibility_email_message="  \n"),
        CreditProviderFactory(display_name="C", eligibility_email_message="Message of C"),
        CreditProviderFactory(display_name="D", eligibility_email_message="Message of D", active=False),
    ]
    CreditProviderFactory(display_name="E", eligibility_email_message="Message of E")
    for provider in own:
        CreditCourseProviderFactory(course=eligibility.course, provider=provider)

    mail = sent()

    assert re.findall(r"^From .*|^Message.*", mail.text, re.MULTILINE) == [
        "From A:",
        "Message of A",
        "From C:",
        "Message of C",
    ]
    assert re.findall(r"Message of .", mail.html) == ["Message of A", "Message of C"]
    assert mail.html.index("does not yet put credit") < mail.html.index("Message of A")


@pytest.mark.rule("credit.mail.pixel")
def test_nobody_is_told_that_the_mail_is_read_unless_a_setting_says_whom(sent, settings):
    assert "<img" not in sent(UserFactory()).html.replace('<img class="logo"', "")
    settings.CREDIT_TRACKING_PIXEL_URL = "https://analytics.example/pixel.gif?a=1&b=2"
    assert '<img src="https://analytics.example/pixel.gif?a=1&amp;b=2" width="1"' in sent(UserFactory()).html


@pytest.mark.rule("credit.mail.message")
def test_the_mail_loads_nothing_from_the_network(sent):
    CreditProviderFactory(eligibility_email_message="<p>Hi</p>")
    html = sent().html
    assert re.findall(r'\bsrc="(?!cid:)', html) == []
    assert re.findall(r"url\(|@import|<link|<script", html) == []


@pytest.mark.rule("credit.mail.message-id")
def test_the_message_id_is_the_rows(sent, settings):
    settings.SITE_NAME = "credit.example.edu"
    eligibility = owe_mail(UserFactory(username="ron"))
    learner = ports.learners().by_username("ron")
    first, second = (email_utils.eligibility_mail(eligibility, learner).message()["Message-ID"] for _ in range(2))
    assert first == second
    assert re.fullmatch(rf"<credit-eligibility\.{eligibility.pk}\.\d{{20}}@credit\.example\.edu>", first)

    eligibility.refresh_from_db()
    assert email_utils.eligibility_mail(eligibility, learner).message()["Message-ID"] == first
    assert sent(UserFactory()).root["Message-ID"] != first


@pytest.mark.rule("credit.mail.translatable")
def test_moved_styles_leave_what_is_translated_as_it_was():
    source = mail_parts.get_template(mail_parts.HTML_TEMPLATE).template.source
    texts = re.compile(r"\{% translate .*?%\}|\{% blocktranslate.*?%\}.*?\{% endblocktranslate %\}", re.DOTALL)
    assert texts.findall(mail_parts.with_inline_css(source)) == texts.findall(source)
    assert len(texts.findall(source)) > 10
    assert not [text for text in texts.findall(source) if "<" in text]


class Polyglots(EnrolledLearners):
    """A host that knows its learners' languages: each has theirs as last name."""

    def profile(self, user_id):
        return Profile(name="", country="", language=self.by_id(user_id).full_name.split()[-1])


@pytest.mark.rule("credit.mail.language")
@pytest.mark.parametrize(
    ("language", "head"),
    [
        pytest.param("ar", '<html lang="ar" dir="rtl">', id="right to left"),
        pytest.param("es", '<html lang="es" dir="ltr">', id="another one"),
        pytest.param("es-mx", '<html lang="es" dir="ltr">', id="a variant"),
        pytest.param("ES-MX", '<html lang="es" dir="ltr">', id="another case"),
        pytest.param("fi", '<html lang="en" dir="ltr">', id="the site does not have it"),
        pytest.param("nonsense!", '<html lang="en" dir="ltr">', id="none"),
    ],
)
def test_the_mail_is_in_the_learners_language(sent, settings, language, head):
    settings.CREDIT_PORTS = {"learners": f"{__name__}.Polyglots"}
    with translation.override("fr"):  # whoever caused it to leave
        html = sent(UserFactory(username="ron", first_name="Ron", last_name=language)).html
        assert translation.get_language() == "fr"
    assert head in html
    assert ('align="right"' in html) == (language == "ar")


@pytest.mark.rule("credit.mail.language")
@pytest.mark.parametrize(
    ("language", "subject"),
    [
        pytest.param("es", "Puede obtener créditos de", id="Spanish"),
        pytest.param("ar", "يمكنك الحصول على ساعات معتمدة من", id="Arabic"),
        pytest.param("", "You are eligible for credit from", id="unknown"),
    ],
)
def test_on_a_site_of_its_own_the_profile_tells_the_language(sent, language, subject):
    ron = UserFactory(username="ron")
    LearnerProfileFactory(user=ron, language=language)
    CreditProviderFactory(display_name="Hogwarts School")
    mail = sent(ron)
    assert mail.root["Subject"].startswith(subject)
    assert f'<html lang="{language or "en"}"' in mail.html


@pytest.mark.rule("credit.mail.language")
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_learner_without_language_gets_the_sites(sent, settings, language):
    settings.LANGUAGE_CODE = language
    with translation.override("ar"):
        assert f'<html lang="{language}"' in sent().html


@pytest.mark.rule("credit.mail.message")
@pytest.mark.parametrize(
    ("features", "urls", "link"),
    [
        pytest.param({}, "settings.urls", "https://localhost/dashboard", id="not shown to learners"),
        pytest.param(
            {"ENABLE_CREDIT_ELIGIBILITY": True}, "credit.urls", "https://localhost/dashboard", id="pages left out"
        ),
        pytest.param(
            {"ENABLE_CREDIT_ELIGIBILITY": True},
            "settings.urls",
            f"https://localhost/credit/courses/{COURSE}/",
            id="pages in use",
        ),
    ],
)
def test_it_leads_to_the_learners_page_where_there_is_one(sent, settings, features, urls, link):
    settings.FEATURES, settings.ROOT_URLCONF = features, urls
    mail = sent()
    assert f"\n   {link}\n" in mail.text
    assert f'href="{link}"' in mail.html
    for part in (mail.text, mail.html):
        assert ("/dashboard" in part) == ("/dashboard" in link)
        assert "Buy the credit" in part
        assert "Request it from the credit provider" in part


@pytest.mark.rule("credit.mail.message")
def test_names_of_another_direction_do_not_turn_the_sentence(sent):
    name_course(f"{ARABIC} 101")
    CreditProviderFactory(display_name=f"\u202e{HEBREW}")
    CreditProviderFactory(display_name="Hogwarts")
    mail = sent(UserFactory(username="ron", first_name="עברית", last_name="Weasley"))
    sentence = f"from \u2068{HEBREW}\u2069 and Hogwarts for \u2068{ARABIC} 101\u2069."
    assert sentence in mail.text
    assert sentence in mail.html
    assert mail.root["Subject"].endswith(f"from \u2068{HEBREW}\u2069 and Hogwarts")
