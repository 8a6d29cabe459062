"""Reading of answers that may come slowly, or never end."""

import time

import requests
from urllib3.exceptions import HTTPError

LONGEST_ANSWER = 5_000_000  # bytes
CHUNK = 65536  # bytes


def body_of(response: requests.Response, *, timeout: float) -> bytes:
    """Return the body of an answer asked for with `stream`, if it has an end and comes within `timeout` seconds.

    Raises:
        requests.Timeout: it does not.
        requests.ConnectionError: it breaks off.
    """
    deadline = time.monotonic() + timeout
    body = bytearray()
    with response:
        try:
            while part := response.raw.read1(CHUNK, decode_content=True):  # what is there; others wait for all of it
                body += part
                if time.monotonic() > deadline or len(body) > LONGEST_ANSWER:
                    raise requests.Timeout
        except HTTPError:
            raise requests.ConnectionError from None
    return bytes(body)
