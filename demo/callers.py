"""Those who talk to the site over HTTP: people with a token, a browser without one."""

import re
from html import unescape
from typing import Any

import requests

from demo.report import Step, Surprise
from demo.sample import Account

PATIENCE = 30  # seconds


class Caller:
    """Somebody who sends requests. Each is told by the status in its step's line."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between processes of one machine

    def get(self, step: Step, path: str, *, expect: int = 200, **arguments: Any) -> requests.Response:
        return self._send(step, "GET", path, expect=expect, **arguments)

    def post(self, step: Step, path: str, *, expect: int = 200, **arguments: Any) -> requests.Response:
        return self._send(step, "POST", path, expect=expect, **arguments)

    def use_token(self, step: Step, account: Account, *, kind: str) -> None:
        """Get a token with the client credentials of an account, `jwt` or `bearer`, and show it from now on."""
        credentials = {"client_id": account.client_id, "client_secret": account.client_secret}
        answer = self.post(
            step,
            "/oauth2/access_token",
            data={"grant_type": "client_credentials", "token_type": kind, **credentials},
        ).json()
        step.expect(str(answer["token_type"]).lower(), kind, finding=f"valid for {answer['expires_in']} seconds")
        self._session.headers["Authorization"] = f"{answer['token_type']} {answer['access_token']}"

    def _send(self, step: Step, method: str, path: str, *, expect: int, **arguments: Any) -> requests.Response:
        """Send one request and stay on its answer.

        Raises:
            Surprise: the status is another one.
        """
        url = path if path.startswith("http") else f"{self._root}{path}"
        answer = self._session.request(method, url, timeout=PATIENCE, allow_redirects=False, **arguments)
        step.outcome = str(answer.status_code)
        if answer.status_code != expect:
            raise Surprise(f"{method} {url} answered HTTP {answer.status_code}, not {expect}:\n{_words(answer)}")
        return answer


def _words(answer: requests.Response) -> str:
    """Return the beginning of what an answer says to people, without markup."""
    without_markup = re.sub(r"<head>.*?</head>|<[^>]*>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(without_markup).split())[:200]
