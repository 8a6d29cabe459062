"""One HTTP call to the service, whose every outcome is an answer to be shown."""

import json
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from urllib.request import HTTPErrorProcessor, ProxyHandler, Request, build_opener

import attrs

TIMEOUT = 10  # seconds
SHOWN_BYTES = 20_000


@attrs.frozen
class Answer:
    """What came back: status and body; without an answer no status, and the reason instead of a body."""

    status: int | None
    body: str

    @property
    def is_accepted(self) -> bool:
        return self.status == 200


class _EveryStatus(HTTPErrorProcessor):
    """Take what came back as it is: errors are to be shown, and redirects must not be followed."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        return response

    https_response = http_response


def post_json(url: str, data: Mapping[str, object]) -> Answer:
    """Post an object as JSON, past any proxy. Never raises for what the other side does."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = Request(url, json.dumps(data).encode(), headers)  # noqa: S310  # the operator chose the address
    try:
        with build_opener(ProxyHandler({}), _EveryStatus).open(request, timeout=TIMEOUT) as response:
            return Answer(response.status, response.read(SHOWN_BYTES).decode(errors="replace"))
    except (OSError, HTTPException) as exc:
        return Answer(None, str(getattr(exc, "reason", exc)) or type(exc).__name__)
