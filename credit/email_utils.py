"""The mail that tells learners they are eligible for credit: whom it names, what it says, and that it leaves once.

What is owed is a row: `email_due_at` of the eligibility. A worker claims the row, which others respect until
`email_claimed_until`, hands the mail to the server and sets `notified_at`.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.header import Header
from email.message import EmailMessage
from typing import Any

from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import InterfaceError, OperationalError, connection, transaction
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from credit import ports
from credit.backends import get_credit_provider_ids_for_course
from credit.conf import conf
from credit.mail_parts import attach_image, file_path_finder, logo, render_html, with_inline_css
from credit.markup import as_html, as_text, isolated, one_line
from credit.models import CreditConfig, CreditEligibility, CreditProvider
from credit.types import CourseKeyOrText, Learner

__all__ = [
    "MailDelayed",
    "MailNotSent",
    "attach_image",
    "build_mail",
    "eligibility_mail",
    "file_path_finder",
    "get_credit_provider_attribute_values",
    "get_credit_provider_ids_for_course",
    "mail_context",
    "mail_language",
    "make_providers_strings",
    "send_credit_notifications",
    "send_due_notifications",
    "with_inline_css",
]

TEXT_TEMPLATE = "credit/email/credit_eligibility_email.txt"
NOT_IN_HOST = re.compile(r"[^A-Za-z0-9.-]")

ANSWERS_PER_MAIL = 10
"""About how often one mail waits for its server."""
LONGEST_WAIT = timedelta(days=1)
"""How long at most a mail that was refused waits for the next attempt."""
RECORD_PAUSE = 1.0
"""Seconds between attempts to note that a mail has left, while the database is away."""

log = logging.getLogger(__name__)


class MailNotSent(Exception):
    """A mail is still owed. The text names the row and the kind of failure, nothing personal."""


class MailDelayed(MailNotSent):
    """The mail server cannot be reached or did not take a mail; a later attempt may succeed."""


def send_credit_notifications(username: str, course_key: CourseKeyOrText) -> bool:
    """Send the mail that a learner is owed for being eligible in a course, once; return whether it left now.

    Nothing is sent if no mail is owed, if it has been sent, or while another worker has claimed it.

    Raises:
        MailDelayed: the mail server's fault; the mail stays owed.
        MailNotSent: any other fault; the mail stays owed.
        RuntimeError: called inside a transaction, after whose rollback the mail would leave again.
    """
    owed = CreditEligibility.objects.mail_due(timezone.now()).of_learner(username).filter(course__course_key=course_key)
    eligibility = owed.select_related("course").first()
    if eligibility is None:
        return False
    with _mail_server() as server:
        _open(server)
        return _send_once(eligibility, server)


def send_due_notifications(limit: int) -> int:
    """Send up to `limit` of the mails that are owed, longest owed first; return how many left.

    What fails is logged and stays owed: one mail that is refused does not keep the others back, and a mail server
    that cannot be reached ends the attempt.
    """
    owed = CreditEligibility.objects.mail_due(timezone.now()).order_by("email_due_at", "pk")
    eligibilities = list(owed.select_related("course")[:limit])
    sent = 0
    with _mail_server() as server:
        for eligibility in eligibilities:
            try:
                _open(server)
            except MailDelayed as exc:
                log.warning("%s", exc)
                break
            try:
                sent += _send_once(eligibility, server)
            except MailNotSent as exc:
                log.warning("%s", exc)
                server.close()
    return sent


def make_providers_strings(providers: list[str] | None) -> str | None:
    """Return names as people list them: "A", "A and B", "A, B, and C"; None for none."""
    if not providers:
        return None
    *others, last = providers
    if not others:
        return last
    if len(others) == 1:
        return _("{first_provider} and {second_provider}").format(first_provider=others[0], second_provider=last)
    separator = pgettext("between names in a list", ", ")
    return _("{providers}, and {last_provider}").format(providers=separator.join(others), last_provider=last)


def get_credit_provider_attribute_values(course_key: CourseKeyOrText, attribute_name: str) -> list[Any] | None:
    """Return one attribute of each active provider of a course, in the order of the provider list.

    Args:
        course_key: the course.
        attribute_name: a key of `credit.types.ProviderDict`.

    Returns:
        The values; None if the course's providers are not known. Cached as `CreditConfig` says.
    """
    config = CreditConfig.current()
    key = f"{CreditConfig.CACHE_KEY}.{course_key}.{attribute_name}"
    values: list[Any] | None = cache.get(key) if config.is_cache_enabled else None
    if values is not None:
        return values

    provider_ids = get_credit_provider_ids_for_course(str(course_key))
    if not provider_ids:
        return provider_ids
    providers: list[dict[str, Any]] = [{**provider} for provider in CreditProvider.get_credit_providers(provider_ids)]
    values = [provider[attribute_name] for provider in providers]
    if config.is_cache_enabled:
        cache.set(key, values, config.cache_ttl)
    return values


def _send_once(eligibility: CreditEligibility, server: BaseEmailBackend) -> bool:
    """Claim, send, note; return whether the mail left."""
    claimed_until = timezone.now() + conf.CREDIT_EMAIL_CLAIM_SECONDS
    if not _claim(eligibility, claimed_until):
        return False
    learner = ports.learners().by_username(eligibility.username)
    if learner is None or not learner.email:
        log.warning("Eligibility %s belongs to no account with an address; no mail is owed any more.", eligibility.pk)
        CreditEligibility.objects.filter(pk=eligibility.pk).update(email_due_at=None, email_claimed_until=None)
        return False

    try:
        eligibility_mail(eligibility, learner, server).send()
    except Exception as exc:
        _put_off(eligibility)
        # Neither the text nor the chain of the cause: they may name the address.
        failure = MailDelayed if isinstance(exc, OSError) else MailNotSent
        text = f"The mail owed for eligibility {eligibility.pk} was not sent ({type(exc).__name__})."
        raise failure(text).with_traceback(exc.__traceback__) from None
    _record_sent(eligibility, claimed_until)
    return True


def _claim(eligibility: CreditEligibility, until: datetime) -> bool:
    """Take the mail unless it is owed no more or another worker was faster."""
    # Committed before the mail leaves: what is not would leave again.
    with transaction.atomic(durable=True):
        due = CreditEligibility.objects.mail_due(timezone.now()).filter(pk=eligibility.pk)
        return bool(due.update(email_claimed_until=until))


def _put_off(eligibility: CreditEligibility) -> None:
    """Let nobody try again before the mail has been owed twice as long as now."""
    assert eligibility.email_due_at is not None
    now = timezone.now()
    wait = min(max(now - eligibility.email_due_at, conf.CREDIT_TASK_DEFAULT_RETRY_DELAY), LONGEST_WAIT)
    CreditEligibility.objects.filter(pk=eligibility.pk).update(email_claimed_until=now + wait)


def _record_sent(eligibility: CreditEligibility, claimed_until: datetime) -> None:
    """Note that the mail has left, trying as long as the claim lasts: forgotten, it would leave again."""
    row = CreditEligibility.objects.filter(pk=eligibility.pk)
    while True:
        try:
            row.update(notified_at=timezone.now(), email_due_at=None, email_claimed_until=None)
            return
        except (OperationalError, InterfaceError) as exc:
            if timezone.now() >= claimed_until:
                raise
            log.warning("The mail for eligibility %s has left, not yet noted (%s).", eligibility.pk, type(exc).__name__)
            connection.close_if_unusable_or_obsolete()
            time.sleep(RECORD_PAUSE)


@contextmanager
def _mail_server() -> Iterator[BaseEmailBackend]:
    """Yield the site's mail backend, still to be opened, which never makes a mail take longer than its claim."""
    server: Any = get_connection()
    if hasattr(server, "timeout"):  # as SMTP has; without EMAIL_TIMEOUT it would wait for ever
        longest = conf.CREDIT_EMAIL_CLAIM_SECONDS.total_seconds() / ANSWERS_PER_MAIL
        server.timeout = min(server.timeout or longest, longest)
    try:
        yield server
    finally:
        with suppress(OSError):
            server.close()


def _open(server: BaseEmailBackend) -> None:
    try:
        server.open()
    except OSError as exc:
        raise MailDelayed(
            f"The mail server cannot be reached ({type(exc).__name__}); what is owed stays owed."
        ) from None


class RelatedMessage(EmailMultiAlternatives):
    """A mail whose images belong to its text (RFC 2387) instead of being attached beside it."""

    mixed_subtype = "related"

    def message(self, **options: Any) -> EmailMessage:
        message = super().message(**options)
        if message.get_content_subtype() == "related":
            message.set_param("type", "multipart/alternative")
        subject = str(self.subject)
        if not subject.isascii():
            # Folded with its name in mind: else the first line of a long one stays empty.
            message.replace_header("Subject", Header(subject, "utf-8", header_name="Subject").encode())
        return message


def eligibility_mail(
    eligibility: CreditEligibility, learner: Learner, server: BaseEmailBackend | None = None
) -> RelatedMessage:
    """Return the mail as it leaves, for the given mail backend or the site's own; nothing is sent or changed."""
    with translation.override(mail_language(learner)):
        return build_mail(eligibility, learner, mail_context(eligibility, learner), server)


def mail_language(learner: Learner) -> str:
    """Return the learner's language if the site has it, else the site's own, whoever caused the mail to leave."""
    profile = ports.learners().profile(learner.id)
    try:
        return translation.get_supported_language_variant(profile.language if profile else "")
    except LookupError:
        return conf.LANGUAGE_CODE


def build_mail(
    eligibility: CreditEligibility, learner: Learner, context: dict[str, Any], server: BaseEmailBackend | None = None
) -> RelatedMessage:
    """Return the mail that says what `mail_context` has found out; the database is not asked."""
    image = logo()
    context = {**context, "branded_logo": image["Content-ID"].strip("<>") if image else None}
    providers = context["providers"]
    site = ports.site()
    mail = RelatedMessage(
        subject=_("You are eligible for credit from {providers}").format(providers=providers)
        if providers
        else _("Course Credit Eligibility"),
        body=render_to_string(TEXT_TEMPLATE, context),
        from_email=site.from_address(),
        to=[learner.email],
        connection=server,
        headers={"Message-ID": _message_id(eligibility, site), "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(render_html(context), "text/html")
    if image is not None:
        mail.attach(image)
    return mail


def mail_context(eligibility: CreditEligibility, learner: Learner) -> dict[str, Any]:
    """Return what the templates show; the logo's id joins it when the mail is built.

    Names are on one line each, fit to stand in a sentence of the current language. `credit_page_link` is None on sites
    without the learner's pages.
    """
    course_key = eligibility.course.course_key
    course = ports.courses().facts(course_key)
    site = ports.site()
    host = f"https://{site.site_host()}"
    page = _credit_page(course_key)
    providers = _providers(course_key)
    return {
        "full_name": _name(learner.full_name),
        "platform_name": _name(site.platform_name()),
        "course_name": _name(course.display_name if course else "") or str(course_key),
        "dashboard_link": f"{host}{site.dashboard_path()}",
        "credit_page_link": page and f"{host}{page}",
        "credit_course_link": f"{host}{site.courses_path()}?type=credit",
        "tracking_pixel": conf.CREDIT_TRACKING_PIXEL_URL,
        "providers": make_providers_strings([_name(provider.display_name) for provider in providers]),
        "provider_messages": [
            {
                "provider": _name(provider.display_name),
                "html": as_html(provider.eligibility_email_message),
                "text": as_text(provider.eligibility_email_message),
            }
            for provider in providers
            if provider.eligibility_email_message.strip()
        ],
        "deadline": eligibility.deadline,
    }


def _name(text: str) -> str:
    return isolated(one_line(text))


def _credit_page(course_key: CourseKeyOrText) -> str | None:
    """Return the path of the learner's own page about the course, or None on a site that leaves these pages out."""
    if not conf.ENABLE_CREDIT_ELIGIBILITY:
        return None
    try:
        return reverse("credit_learner:course", kwargs={"course_key": str(course_key)})
    except NoReverseMatch:
        return None


def _providers(course_key: CourseKeyOrText) -> list[CreditProvider]:
    """Return the active providers of a course as far as they are known, in the order of the provider list."""
    provider_ids = get_credit_provider_attribute_values(course_key, "id")
    if not provider_ids:
        return []
    rows = CreditProvider.objects.active().with_ids(provider_ids).order_by("provider_id")
    return list(rows.only("display_name", "eligibility_email_message"))


def _message_id(eligibility: CreditEligibility, site: ports.SitePort) -> str:
    """Return the same id whenever and wherever the mail that this row owes is built; owed anew, it has a new one."""
    host = NOT_IN_HOST.sub("-", site.site_host()) or "localhost"
    moment = eligibility.email_due_at or eligibility.created
    return f"<credit-eligibility.{eligibility.pk}.{moment:%Y%m%d%H%M%S%f}@{host}>"
