"""Responses of receivers for people to read (events contract 7)."""

import functools

import pytest

from events.utils import dotted_path, format_responses


def receiver(**kwargs):
    """Stand for any receiver."""


class Account:
    def receive(self, **kwargs):
        """Stand for a receiver that is a method."""

    def __call__(self, **kwargs):
        """Stand for a receiver that is an object."""


def failure(text: str) -> Exception:
    try:
        raise ValueError(text)
    except ValueError as exc:
        return exc


def test_functions_are_dotted_paths_and_exceptions_stack_traces():
    text = format_responses([(receiver, "done"), (receiver, failure("no"))])
    assert f"({__name__}.receiver, 'done')" in text
    assert "Traceback (most recent call last):" in text
    assert "in failure\n    raise ValueError(text)\nValueError: no" in text


def test_depth_limits_what_is_shown():
    nested = [(receiver, {"outer": {"inner": 1}})]
    assert "inner" in format_responses(nested)
    assert format_responses(nested, depth=2) == f"[({__name__}.receiver, {{...}})]"


def test_options_of_the_pretty_printer_are_passed_on():
    assert format_responses([(receiver, "done")], width=20).count("\n") == 1


def test_no_responses_are_an_empty_list():
    assert format_responses([]) == "[]"


@pytest.mark.parametrize(
    ("named", "path"),
    [
        pytest.param(receiver, f"{__name__}.receiver", id="function"),
        pytest.param(Account().receive, f"{__name__}.Account.receive", id="method"),
        pytest.param(Account(), f"{__name__}.Account", id="object"),
        pytest.param(functools.partial(receiver), "functools.partial", id="partial"),
        pytest.param(Account, f"{__name__}.Account", id="class"),
    ],
)
def test_dotted_path_names_any_receiver(named, path):
    assert dotted_path(named) == path
