"""The journey: three learners on their way to credit, over HTTP only."""

from demo.evidence import events_in, mails_in
from demo.report import Report
from demo.roles import Learner, Registrar
from demo.sample import Account
from demo.site import Site

EXPECTED_EVENTS = {
    "org.openedx.learning.course.enrollment.created.v1",
    "org.coursecredit.learning.credit.requirement_status.changed.v1",
    "org.coursecredit.learning.credit.eligibility.earned.v1",
    "org.coursecredit.learning.credit.request.created.v1",
    "org.coursecredit.learning.credit.request.approved.v1",
    "org.coursecredit.learning.credit.request.rejected.v1",
}


def play(site: Site, report: Report) -> None:
    """Play all of it.

    Raises:
        StepFailed: at the first surprise.
    """
    amara, bruno, chiara = site.sample.learners
    report.heading("A course that earns credit")
    registrar = Registrar.come(site, report)
    registrar.publish_the_course()
    report.heading(f"{amara.full_name} earns credit")
    earn_credit(site, report, registrar, amara)
    report.heading(f"{bruno.full_name} is eligible, but the university says no")
    be_rejected(site, report, registrar, bruno)
    report.heading(f"{chiara.full_name} fails the exam")
    be_refused(site, report, registrar, chiara)
    report.heading("What else has happened")
    tell_mails(site, report, [amara, bruno])
    tell_events(site, report)


def earn_credit(site: Site, report: Report, registrar: Registrar, account: Account) -> None:
    university = site.sample.universities[0]
    learner = Learner.come(site, report, account, kind="jwt")
    registrar.enroll(account)
    learner.is_eligible(False)
    registrar.enter_grade(account, 0.91)
    learner.is_eligible(False)
    registrar.enter_exam(account, passed=True)
    learner.is_eligible(True)
    learner.awaits_mail()
    learner.asks(university, decision="approved")
    registrar.sees_request(account, university, "approved")
    learner.asks_in_vain(university, code="request_already_completed")


def be_rejected(site: Site, report: Report, registrar: Registrar, account: Account) -> None:
    university = site.sample.universities[1]
    learner = Learner.come(site, report, account, kind="bearer")
    registrar.enroll(account)
    registrar.enter_exam(account, passed=True)
    registrar.enter_grade(account, 0.74)
    learner.is_eligible(True)
    learner.awaits_mail()
    learner.asks(university, decision="rejected")
    registrar.sees_request(account, university, "rejected")


def be_refused(site: Site, report: Report, registrar: Registrar, account: Account) -> None:
    learner = Learner.come(site, report, account, kind="bearer")
    registrar.enroll(account)
    registrar.enter_grade(account, 0.88)
    registrar.enter_exam(account, passed=False)
    learner.is_eligible(False)
    learner.asks_in_vain(site.sample.universities[0], code="user_not_eligible")


def tell_mails(site: Site, report: Report, recipients: list[Account]) -> None:
    """Say where each mail landed; nobody else has got one, and nobody two."""
    with report.step("Mail", f"landed in {site.mail_folder}") as step:
        mails = mails_in(site.mail_folder)
        found = sorted(mail.recipient for mail in mails)
        step.expect(found, sorted(account.email for account in recipients), finding=f"{len(mails)} messages")


def tell_events(site: Site, report: Report) -> None:
    """Say which events each process has emitted."""
    with report.step("Events", "emitted") as step:
        emitted = {name: events_in(site.processes.log(name)) for name in site.processes.names}
        types = {event_type for counts in emitted.values() for event_type in counts}
        step.expect(sorted(EXPECTED_EVENTS - types), [], finding=f"{len(types)} types")
    for name, counts in emitted.items():
        for event_type, count in counts.items():
            report.remark(f"{count:>2} x {event_type}  by {name}")
