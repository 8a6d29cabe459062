"""Who takes part: the registrar with the practice LMS, learners with their browsers, and the clerk of a university."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import attrs

from demo.callers import Caller
from demo.evidence import Mail, mails_in
from demo.report import Report, Surprise
from demo.sample import COURSE_KEY, COURSE_NAME, EXAM_NAME, GRADE_NAME, MINIMUM_GRADE, Account, University
from demo.site import Site

MAIL_PATIENCE = 75  # seconds: should the worker miss its nudge, a sweep runs every 60
KEYS_OF_FORM = 14  # 13 parameters and the signature


@attrs.frozen
class Registrar:
    """Staff: publishes the course, enrolls learners, enters what they have achieved."""

    site: Site
    report: Report
    http: Caller

    @classmethod
    def come(cls, site: Site, report: Report) -> "Registrar":
        """Let the registrar log in."""
        http = Caller(site.url)
        with report.step("Registrar", "gets a JSON Web Token for the practice LMS") as step:
            http.use_token(step, site.sample.registrar, kind="jwt")
        return cls(site, report, http)

    def publish_the_course(self) -> None:
        with self.report.step("Registrar", f"publishes “{COURSE_NAME}”") as step:
            answer = self.http.post(step, "/practice-lms/courses/", json={"course_key": COURSE_KEY}, expect=201)
            names = [requirement["display_name"] for requirement in answer.json()]
            step.expect(names, [GRADE_NAME, EXAM_NAME], finding="credit requires a grade and an exam")

    def enroll(self, learner: Account) -> None:
        with self.report.step("Registrar", f"enrolls {learner.first_name}") as step:
            answer = self.http.post(step, "/practice-lms/enrollments/", json=_in_course(learner), expect=201)
            step.expect(answer.json()["mode"], "verified", finding="mode verified")

    def enter_grade(self, learner: Account, percent: float) -> None:
        with self.report.step(
            "Registrar", f"enters {learner.first_name}'s grade, {percent} where {MINIMUM_GRADE} is needed"
        ) as step:
            body = {**_in_course(learner), "percent": percent}
            progress = self.http.post(step, "/practice-lms/grades/", json=body).json()
            step.expect(progress["requirements"][GRADE_NAME], "satisfied", finding="satisfied")

    def enter_exam(self, learner: Account, *, passed: bool) -> None:
        result = "satisfied" if passed else "failed"
        with self.report.step("Registrar", f"enters {learner.first_name}'s proctored exam") as step:
            body = {**_in_course(learner), "passed": passed}
            progress = self.http.post(step, "/practice-lms/exam-results/", json=body).json()
            step.expect(progress["requirements"][EXAM_NAME], result, finding=result)

    def sees_request(self, learner: Account, university: University, status: str) -> None:
        with self.report.step("Registrar", f"looks up {learner.first_name}'s request to {university.name}") as step:
            progress = self.http.get(step, "/practice-lms/progress/", params=_in_course(learner)).json()
            step.expect(progress["requests"], {university.provider_id: status}, finding=status)


@attrs.frozen
class Learner:
    """A learner, their token, their browser and their mailbox."""

    site: Site
    report: Report
    account: Account
    http: Caller
    browser: Caller

    @classmethod
    def come(cls, site: Site, report: Report, account: Account, *, kind: str) -> "Learner":
        """Let a learner log in, with a token of this kind: `jwt` or `bearer`."""
        learner = cls(site, report, account, Caller(site.url), Caller(site.sandbox_url))
        name = {"jwt": "a JSON Web Token", "bearer": "a bearer token"}[kind]
        with report.step(account.first_name, f"gets {name}") as step:
            learner.http.use_token(step, account, kind=kind)
        return learner

    def is_eligible(self, expected: bool) -> None:
        with self.report.step(self.account.first_name, "asks whether credit is open") as step:
            rows = self.http.get(step, "/api/credit/v1/eligibility/", params=_in_course(self.account)).json()
            until = f"yes, until {rows[0]['deadline'][:10]}" if rows else "not yet"
            step.expect(bool(rows), expected, finding=until)

    def awaits_mail(self) -> None:
        with self.report.step("Worker", f"mails {self.account.first_name}"):
            self.site.processes.wait_for(lambda: bool(self._mails()), seconds=MAIL_PATIENCE)
        for mail in self._mails():
            self.report.remark(f"“{mail.subject}”")
            self.report.remark(f"in mail/{mail.path.name}")

    def _mails(self) -> list[Mail]:
        return [mail for mail in mails_in(self.site.mail_folder) if mail.recipient == self.account.email]

    def asks(self, university: University, *, decision: str) -> None:
        """Ask a university, submit its form in the browser, and have a clerk there decide."""
        form = self._gets_form(university)
        page = self._submits(form, university)
        self._is_decided_on(page, university, decision)

    def asks_in_vain(self, university: University, *, code: str) -> None:
        with self.report.step(self.account.first_name, f"asks {university.name} for credit") as step:
            answer = self.http.post(step, _request_path(university), json=_in_course(self.account), expect=400).json()
            step.expect(answer["code"], code, finding=f"refused, {code}")

    def _gets_form(self, university: University) -> Mapping[str, Any]:
        with self.report.step(self.account.first_name, f"asks {university.name} for credit") as step:
            form: dict[str, Any] = self.http.post(step, _request_path(university), json=_in_course(self.account)).json()
            step.expect((form["method"], len(form["parameters"])), ("POST", KEYS_OF_FORM), finding="gets a signed form")
        return form

    def _submits(self, form: Mapping[str, Any], university: University) -> str:
        """Post the form as a browser would; return the address of the page about it."""
        with self.report.step("Browser", f"posts {self.account.first_name}'s form to {form['url']}") as step:
            answer = self.browser.post(step, form["url"], data=form["parameters"], expect=303)
        page: str = urljoin(form["url"], answer.headers["Location"])
        with self.report.step(university.short_name, "verifies the form") as step:
            html = self.browser.get(step, page).text
            step.expect("The signature is right." in html, True, finding="the signature is right")
        return page

    def _is_decided_on(self, page: str, university: University, decision: str) -> None:
        with self.report.step(university.short_name, f"decides “{decision}” and sends a signed callback") as step:
            self.browser.post(step, f"{page}decision/", data={"status": decision}, expect=303)
            html = self.browser.get(step, page).text
            if "HTTP 200" not in html:
                raise Surprise(f"The service has not taken the decision, see {page}.")
            step.found("taken")


def _in_course(learner: Account) -> dict[str, str]:
    return {"username": learner.username, "course_key": COURSE_KEY}


def _request_path(university: University) -> str:
    return f"/api/credit/v1/providers/{university.provider_id}/request/"
