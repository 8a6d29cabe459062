"""Domain errors: what they say without being told."""

import pytest

from coursecredit.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, TooLarge


class SeatTaken(Conflict, RuntimeError):
    """The seat
    is taken.

    Raised when two learners click at once.
    """

    code = "seat_taken"


class Nameless(Invalid):
    __doc__ = None


def test_the_docstrings_first_paragraph_is_the_message():
    assert str(SeatTaken()) == "The seat is taken."


def test_a_given_message_wins():
    assert str(SeatTaken("Row 7 is taken.")) == "Row 7 is taken."


def test_without_a_docstring_the_class_is_named():
    assert str(Nameless()) == "Nameless"


def test_members_travel_beside_the_message():
    error = SeatTaken(row=7, free=[8, 9])
    assert (str(error), error.members) == ("The seat is taken.", {"row": 7, "free": [8, 9]})


@pytest.mark.parametrize("kind", [Invalid, NotAllowed, NotFound, Conflict, TooLarge])
def test_each_kind_is_a_domain_error_with_a_text_and_a_code(kind):
    error = kind()
    assert isinstance(error, DomainError)
    assert str(error).endswith(".")
    assert kind.code == "error"


def test_a_second_base_lets_old_callers_catch_it():
    with pytest.raises(RuntimeError):
        raise SeatTaken
