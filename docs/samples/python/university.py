"""A university's side of course credit, in one file: it takes learners' forms and sends signed decisions.

SHARED_SECRET=… python3 university.py serve 8091
SHARED_SECRET=… CALLBACK_URL=https://…/callback python3 university.py decide REQUEST_UUID approved
SHARED_SECRET=… python3 university.py sign < messages   # form-encoded, one per line
"""

import hashlib
import hmac
import html
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, urlencode
from urllib.request import Request, urlopen

SECRET = os.environ.get("SHARED_SECRET", "")
MAX_AGE = 15 * 60  # seconds
MAX_BODY = 64 * 1024  # bytes
ATTEMPTS = 5
KEYS = {
    *("request_uuid", "timestamp", "course_org", "course_num", "course_run", "enrollment_timestamp"),
    *("course_completion_timestamp", "final_grade", "user_username", "user_email", "user_full_name"),
    *("user_mailing_address", "user_country"),
}


# === Signing
def signed_text(message: dict[str, str]) -> str:
    """All pairs but the signature, sorted by key, as key:value, with nothing between them."""
    return "".join(f"{key}:{message[key]}" for key in sorted(message) if key != "signature")


def signature(message: dict[str, str], secret: str) -> str:
    return hmac.new(secret.encode(), signed_text(message).encode(), hashlib.sha256).hexdigest()


def is_genuine(message: dict[str, str], secret: str) -> bool:
    claimed = message.get("signature", "")
    return hmac.compare_digest(signature(message, secret).encode(), claimed.encode(errors="replace"))


# === Receiving
def complaint(form: dict[str, str]) -> str | None:
    """Why a form is refused, or None. The signature comes first: nothing else can be believed without it."""
    if not is_genuine(form, SECRET):
        return "The signature is wrong."
    if form.keys() - {"signature"} != KEYS:
        return "These are not the keys of a credit request."
    if abs(time.time() - int(form["timestamp"])) > MAX_AGE:
        return "The form is too old. Please start again at your learning platform."
    return None


class University(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            return self.answer(413, "The form is too long.")
        # keep_blank_values: an empty value is signed, too.
        form = dict(parse_qsl(self.rfile.read(length).decode(errors="replace"), keep_blank_values=True))
        problem = complaint(form)
        if problem is None:
            remember(form)
            return self.answer(200, f"Thank you, {form['user_full_name']}. We will decide on {form['request_uuid']}.")
        if not is_genuine(form, SECRET):
            # While you develop. In production, log it instead: it holds personal data.
            problem += f"\nThis is the text that was signed here:\n{signed_text(form)}"
        return self.answer(403, problem)

    def answer(self, status: int, text: str) -> None:
        body = f"<!doctype html><meta charset=utf-8><title>University</title><pre>{html.escape(text)}</pre>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def remember(form: dict[str, str]) -> None:
    """Your work: keep the request under its request_uuid. The same uuid comes again with fresh values."""
    print(f"received {form['request_uuid']}", flush=True)


# === Telling the decision
def decide(request_uuid: str, status: str) -> int:
    """Tell the decision until the service has it; return an exit status."""
    wait = 0
    for attempt in range(ATTEMPTS):
        time.sleep(max(wait, 2 ** (attempt - 1)) if attempt else 0)
        # Signed anew each time: the service takes only recent messages.
        message = {"request_uuid": request_uuid, "status": status, "timestamp": str(int(time.time()))}
        message["signature"] = signature(message, SECRET)
        code, body, wait = post(os.environ["CALLBACK_URL"], message)
        print(code, body, flush=True)
        if code == 200:
            return 0
        if code not in (0, 429) and code < 500:
            break  # repeating it would not help
    return 1


def post(url: str, message: dict[str, str]) -> tuple[int, str, int]:
    """Return status, body and how many seconds to wait before the next attempt; status 0 if nobody answers."""
    try:
        with urlopen(Request(url, urlencode(message).encode()), timeout=10) as response:
            return response.status, response.read().decode(), 0
    except HTTPError as error:
        retry_after = error.headers.get("Retry-After", "")
        return error.code, error.read().decode(errors="replace"), int(retry_after) if retry_after.isdecimal() else 0
    except (URLError, OSError) as error:
        return 0, f"no answer: {error}", 0


# === Starting
def main(arguments: list[str]) -> int:
    match arguments:
        case ["sign"]:
            for line in sys.stdin:
                print(signature(dict(parse_qsl(line.rstrip("\n"), keep_blank_values=True)), SECRET))
            return 0
        case [*_] if not SECRET.strip():
            print("Set SHARED_SECRET.", file=sys.stderr)
        case ["serve", port]:
            ThreadingHTTPServer(("127.0.0.1", int(port)), University).serve_forever()
        case ["decide", request_uuid, "approved" | "rejected" as status]:
            return decide(request_uuid, status)
        case _:
            print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
