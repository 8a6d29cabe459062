"""Transactions that the database sacrifices are tried again, by who opened them."""

import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, OperationalError, transaction

from coursecredit import transactions
from coursecredit.transactions import retried_atomic, was_read_only
from tests.support import in_parallel


class Refusal(Exception):
    """What psycopg or mysqlclient raised."""

    def __init__(self, sqlstate=None):
        self.sqlstate = sqlstate


def failure(*args, sqlstate=None):
    error = OperationalError(*args)
    error.__cause__ = Refusal(sqlstate)
    return error


DEADLOCK = failure("deadlock detected", sqlstate="40P01")
OTHERS = [failure("the connection is gone"), failure("disk full", sqlstate="53100"), failure(2006, "gone away")]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(transactions, "PAUSE", 0)


def failing(*errors):
    """Return a decorated function that raises these, one per call, and then returns how often it was called."""
    calls = []

    @retried_atomic
    def run():
        calls.append(transaction.get_connection().in_atomic_block)
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]
        return calls

    return run, calls


@pytest.mark.django_db(transaction=True)
class TestOutsideOfATransaction:
    @pytest.mark.parametrize(
        "error",
        [DEADLOCK, failure("could not serialize", sqlstate="40001"), failure(1213, "Deadlock found")],
        ids=["deadlock", "serialisation", "MariaDB's deadlock"],
    )
    def test_the_sacrificed_is_tried_again(self, error):
        run, _calls = failing(error, error)
        assert run() == [True, True, True]

    def test_but_not_for_ever(self):
        run, calls = failing(*[DEADLOCK] * 10)
        with pytest.raises(OperationalError):
            run()
        assert len(calls) == transactions.ATTEMPTS

    @pytest.mark.parametrize("error", [*OTHERS, ValueError("ours")])
    def test_other_errors_are_raised_at_once(self, error):
        run, calls = failing(error)
        with pytest.raises(type(error)):
            run()
        assert len(calls) == 1

    def test_what_has_been_committed_is_not_repeated(self):
        calls = []

        def fail():
            raise DEADLOCK

        @retried_atomic
        def run():
            calls.append(1)
            transaction.on_commit(fail)

        with pytest.raises(OperationalError):
            run()
        assert len(calls) == 1

    def test_every_attempt_starts_from_nothing(self):
        users = get_user_model().objects
        attempts = []

        @retried_atomic
        def add():
            users.create(username=f"attempt{len(attempts)}")
            attempts.append(1)
            if len(attempts) == 1:
                raise DEADLOCK

        add()
        assert list(users.values_list("username", flat=True)) == ["attempt1"]


@pytest.mark.parametrize(
    ("args", "cause", "is_read_only"),
    [
        pytest.param(("cannot execute UPDATE",), {"sqlstate": "25006"}, True, id="PostgreSQL"),
        pytest.param(("deadlock detected",), {"sqlstate": "40P01"}, False, id="PostgreSQL's deadlock"),
        pytest.param((1290, "--read-only"), {}, True, id="MariaDB's server"),
        pytest.param((1792, "READ ONLY transaction"), {}, True, id="MariaDB's transaction"),
        pytest.param((1213, "Deadlock"), {}, False, id="MariaDB's deadlock"),
        pytest.param(("readonly database",), {"sqlite_errorcode": 8}, True, id="SQLite"),
        pytest.param(("readonly database",), {"sqlite_errorcode": 1032}, True, id="SQLite, moved file"),
        pytest.param(("database is locked",), {"sqlite_errorcode": 5}, False, id="SQLite's rival"),
        pytest.param((), {}, False, id="says nothing"),
    ],
)
def test_a_database_that_takes_no_writes_is_recognised(args, cause, is_read_only):
    error = DatabaseError(*args)
    error.__cause__ = Exception()
    vars(error.__cause__).update(cause)
    assert was_read_only(error) is is_read_only


@pytest.mark.django_db
def test_inside_somebody_elses_transaction_the_failure_is_theirs():
    run, calls = failing(DEADLOCK)
    with transaction.atomic(), pytest.raises(OperationalError):
        run()
    assert len(calls) == 1


@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
def test_of_two_that_block_each_other_both_finish():
    users = get_user_model().objects
    first, second = users.create(username="first"), users.create(username="second")
    both_hold_one = threading.Barrier(2, timeout=10)
    attempts = []

    @retried_atomic
    def rename(mine, other):
        attempts.append(mine)
        users.filter(pk=mine.pk).update(last_name=f"{mine.username} first")
        if len(attempts) <= 2:
            both_hold_one.wait()
        users.filter(pk=other.pk).update(first_name=f"by {mine.username}")

    assert in_parallel(lambda: rename(first, second), lambda: rename(second, first)) == [None, None]
    assert len(attempts) == 3
    assert sorted(users.values_list("username", "first_name", "last_name")) == [
        ("first", "by second", "first first"),
        ("second", "by first", "second first"),
    ]
