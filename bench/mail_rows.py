"""Mails built per second, with the styles moved in once per template against once per mail."""

from collections.abc import Callable, Iterator

from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives

from bench.measure import Row, at_most, compare
from bench.site import Site
from credit import ports
from credit.email_utils import build_mail, eligibility_mail, mail_context
from credit.mail_parts import HTML_CACHE_KEY
from credit.models import CreditEligibility

MAILS = at_most(25, quick=2)  # per round


def rows(site: Site) -> Iterator[Row]:
    """Compare building mails with building them while nothing remembers the styled template.

    Once from facts at hand, which is what the styling belongs to, and once with the reading of the facts, which costs
    both sides the same.
    """
    eligibility = CreditEligibility.objects.select_related("course").first()
    assert eligibility is not None
    learner = ports.learners().by_username(eligibility.username)
    assert learner is not None
    facts = mail_context(eligibility, learner)
    yield _row("eligibility mails built", 10, lambda: build_mail(eligibility, learner, facts))
    yield _row("eligibility mails, reading included", None, lambda: eligibility_mail(eligibility, learner))


def _row(name: str, target: float | None, build: Callable[[], EmailMultiAlternatives]) -> Row:
    def styled_once(times: int) -> None:
        for _ in range(times):
            build().message().as_bytes()

    def styled_each_time(times: int) -> None:
        for _ in range(times):
            cache.delete(HTML_CACHE_KEY)
            build().message().as_bytes()

    return compare(
        name,
        ours=styled_once,
        baseline=styled_each_time,
        baseline_name="inlining the styles of every mail",
        target=target,
        repeat=MAILS,
    )
