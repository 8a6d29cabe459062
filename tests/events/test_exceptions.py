"""Errors about events (events contract 7)."""

import copy
import pickle

import pytest

from events import exceptions


def test_plain_error_shows_its_message():
    error = exceptions.OpenEdxEventException("what went wrong")
    assert (error.message, str(error)) == ("what went wrong", "what went wrong")
    assert str(exceptions.OpenEdxEventException()) == ""


@pytest.mark.parametrize(
    "name",
    [
        "InstantiationError",
        "SenderValidationError",
        "ProducerConfigurationError",
        "EventSerializationError",
        "EventDeserializationError",
    ],
)
class TestErrorAboutAnEventType:
    def test_text_begins_with_class_and_type(self, name):
        error = getattr(exceptions, name)(event_type="org.example.a.b.v1", message="what went wrong")
        assert isinstance(error, exceptions.OpenEdxEventException)
        assert str(error) == error.message == f"{name} org.example.a.b.v1: what went wrong"

    def test_type_may_be_left_out(self, name):
        assert str(getattr(exceptions, name)(message="what went wrong")) == f"{name} : what went wrong"

    @pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
    def test_copy_has_the_same_text(self, name, again):
        error = getattr(exceptions, name)("org.example.a.b.v1", "what went wrong")
        assert str(again(error)) == str(error)
