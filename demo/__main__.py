"""`python -m demo` plays the journey; `python -m demo --serve` serves the same site until Ctrl-C."""

import argparse
import math
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from demo.processes import INTERRUPTIONS
from demo.report import Report, StepFailed, Surprise
from demo.sample import COURSE_KEY
from demo.site import ROOT, Site, running_site
from demo.story import play

ANY_PORTS = (0, 0)
USUAL_PORTS = (8000, 8090)  # of the web process and of the sandbox, where they are free; served to people


def main(arguments: Sequence[str] | None = None) -> int:
    """Play or serve.

    Returns:
        The exit status: 0; 1 after a surprise; 130 when interrupted in the middle of the journey.
    """
    given = _parser().parse_args(arguments)
    report = Report(sys.stdout)
    for number in INTERRUPTIONS:
        signal.signal(number, _interrupt)
    try:
        ports = USUAL_PORTS if given.serve and not given.any_ports else ANY_PORTS
        with running_site(report, given.data_dir or _new_folder(), ports=ports, wrong_keys=given.wrong_keys) as site:
            serve(site, report) if given.serve else play(site, report)
    except (StepFailed, Surprise) as failure:
        report.write(f"\n{failure}")
        return 1
    except KeyboardInterrupt:
        report.write("\nInterrupted. Every process has been ended.")
        return 130
    report.write("\nAll went well.")
    return 0


def serve(site: Site, report: Report) -> None:
    """Tell what there is to see and keep it running until Ctrl-C.

    Raises:
        Surprise: one of the processes has ended.
    """
    report.heading("Open these in a browser")
    report.table(
        ("staff pages", f"{site.url}/admin/"),
        ("REST interface", f"{site.url}/api/docs/"),
        ("universities", f"{site.sandbox_url}/"),
    )
    report.heading("Sample accounts")
    report.table(
        ("user name", "password", "client_id", "client_secret"),
        *((one.username, one.password, one.client_id, one.client_secret) for one in site.sample.accounts),
    )
    report.heading("Get a token, of a token_type bearer or jwt")
    first = site.sample.learners[0]
    report.write(f"      curl {site.url}/oauth2/access_token -d grant_type=client_credentials -d token_type=bearer \\")
    report.write(f"           -d client_id={first.client_id} -d client_secret={first.client_secret}")
    report.heading("Behind the scenes")
    report.table(
        ("course", COURSE_KEY),
        ("practice LMS", f"{site.url}/practice-lms/, explained in demo/practice_lms.py"),
        ("mail", str(site.mail_folder)),
        ("logs", str(site.processes.logs)),
    )
    report.write("\nStop with Ctrl-C.")
    try:
        site.processes.wait_for(lambda: False, seconds=math.inf)
    except KeyboardInterrupt:
        report.write()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="serve the sample site until Ctrl-C")
    parser.add_argument("--any-ports", action="store_true", help="serve on any free ports instead of the usual ones")
    parser.add_argument("--data-dir", type=Path, help="an empty or new folder for the site's data; by default in var/")
    parser.add_argument(
        "--wrong-keys", action="store_true", help="give the universities other keys, to see how a form is refused"
    )
    return parser


def _new_folder() -> Path:
    (ROOT / "var").mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="demo-", dir=ROOT / "var"))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
