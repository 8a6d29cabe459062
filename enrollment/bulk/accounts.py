"""Accounts that items name, each by username or by e-mail address."""

from collections.abc import Collection, Iterable
from typing import Any

from attrs import frozen
from django.contrib.auth import get_user_model

from enrollment.bulk.shapes import Wish
from enrollment.errors import UserNotFoundError
from enrollment.querysets import any_lowered, with_any_address
from enrollment.types import Account

SEVERAL = "Several accounts have this e-mail address. Name the learner by username."


@frozen
class Accounts:
    """The accounts of one chunk."""

    by_name: dict[str, Account]
    by_address: dict[str, list[Account]]

    def of(self, wish: Wish) -> Account:
        """Return the account that an item names.

        Raises:
            UserNotFoundError: there is none, or several have the address.
        """
        if wish.username is not None:
            found = self.by_name.get(wish.username)
            if found is None:
                raise UserNotFoundError
            return found
        holders = self._holders(wish.email or "")
        if len(holders) != 1:
            raise UserNotFoundError(SEVERAL if holders else None)
        return holders[0]

    def is_unknown_address(self, wish: Wish) -> bool:
        """Return whether an item names an address that no account has."""
        return wish.username is None and not self._holders(wish.email or "")

    def _holders(self, email: str) -> list[Account]:
        found = {user.pk: user for lowered in any_lowered(email) for user in self.by_address.get(lowered, ())}
        return list(found.values())


def find_accounts(wishes: Iterable[Wish]) -> Accounts:
    """Return the accounts that items name, with their profiles, in one statement by name and one by address."""
    wishes = list(wishes)
    names = {wish.username for wish in wishes if wish.username is not None}
    addresses = {wish.email for wish in wishes if wish.username is None and wish.email}
    by_address: dict[str, list[Account]] = {}
    for user in _with_addresses(addresses):
        by_address.setdefault(user.lowered_address, []).append(user)
    return Accounts(by_name={user.get_username(): user for user in _with_names(names)}, by_address=by_address)


def _with_names(names: Collection[str]) -> Iterable[Account]:
    users = get_user_model()._default_manager.select_related("learner_profile")
    return users.filter(username__in=names) if names else ()


def _with_addresses(addresses: Collection[str]) -> Iterable[Any]:
    users = get_user_model()._default_manager.select_related("learner_profile")
    return with_any_address(users, "email", addresses).order_by("pk") if addresses else ()
