"""The eligibility mail as a reader shows it, with names that are long or of another direction."""

import base64

import pytest

from credit import email_utils, ports
from credit.backends import EnrolledLearners
from credit.types import Profile
from tests.credit.browser import DESKTOP, PHONE, WCAG, browse, expect_accessible
from tests.credit.factories import CreditProviderFactory
from tests.credit.mail import WireMail, name_course, owe_mail
from tests.enrollment.factories import UserFactory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # a browser sees the same pages on each; other tests ask each database
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("credit.mail.looks"),
]

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC_MESSAGE = "<p>أهلا وسهلا بكم</p><ul><li>واحد</li></ul>"


class Speakers(EnrolledLearners):
    """Learners whose language is their last name."""

    def profile(self, user_id):
        return Profile(name="", country="", language=self.by_id(user_id).full_name.split()[-1])


def shown(mail: WireMail) -> str:
    """Return the HTML with its image inside, as a mail reader shows it."""
    image = base64.b64encode(mail.image.get_content()).decode()
    return mail.html.replace(f"cid:{mail.image['Content-ID'].strip('<>')}", f"data:image/png;base64,{image}")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_it_fits_and_is_accessible_everywhere(settings, language):
    settings.CREDIT_PORTS = {"learners": f"{__name__}.Speakers"}
    name_course(f"{LONG} and its History")
    CreditProviderFactory(display_name="جامعة القاهرة", eligibility_email_message=ARABIC_MESSAGE)
    CreditProviderFactory(display_name=LONG, eligibility_email_message=f"Bring ink.\nhttps://example.com/{LONG * 3}")
    owed = owe_mail(UserFactory(username="ron", first_name=LONG, last_name=language))
    mail = email_utils.eligibility_mail(owed, ports.learners().by_username("ron")).message()
    html = shown(WireMail.parse(mail.as_bytes()))

    def journey(page):
        for viewport in (PHONE, DESKTOP):
            for scheme in ("light", "dark"):
                page.set_viewport_size(viewport)
                page.emulate_media(color_scheme=scheme)
                page.set_content(html)
                expect_accessible(page, rules=WCAG)
                message = page.locator(".words").first
                assert message.evaluate("element => getComputedStyle(element).direction") == "rtl"
                assert message.evaluate("element => getComputedStyle(element).textAlign") == "start"

    assert browse(journey) == []
