"""Say which keys of which provider can be used, and which are: `manage.py check_provider_keys`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from credit import api
from credit.api import operations
from credit.conf import conf
from credit.signature import keys_by_position
from credit.types import ProviderDict, SigningKey


class Command(BaseCommand):
    help = (
        "Say of every provider which of its shared secrets can be used, and when one of them last signed a callback "
        "that was accepted. No secret is shown: keys are counted from 1, in the order of CREDIT_PROVIDER_SECRET_KEYS, "
        "and callbacks count for the place that the key had at that time, in a list as long as today's. Exit status: 1 "
        "if a key cannot be used or a provider that gets signed requests has none, else 0."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--provider", action="append", default=[], metavar="ID", help="only this provider; may be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        providers = {provider["id"]: provider for provider in api.list_providers()}
        known = sorted({*providers, *conf.CREDIT_PROVIDER_SECRET_KEYS})
        wanted = options["provider"] or known
        if unknown := sorted(set(wanted) - set(known)):
            raise CommandError(f"Nothing is known of {', '.join(unknown)}.")

        answered = operations.last_accepted_callbacks()
        problems = [
            problem
            for provider_id in wanted
            for problem in self._report(provider_id, providers.get(provider_id), answered.get(provider_id, {}))
        ]
        if problems:
            raise CommandError("; ".join(problems) + ".", returncode=1)

    def _report(
        self, provider_id: str, provider: ProviderDict | None, answered: Mapping[SigningKey, datetime]
    ) -> list[str]:
        """Write what there is to say of a provider; return what is wrong."""
        self.stdout.write(f"{provider_id}: {_describe(provider)}")
        is_configured = provider_id in conf.CREDIT_PROVIDER_SECRET_KEYS
        keys = keys_by_position(provider_id) if is_configured else []
        for position, key in enumerate(keys, start=1):
            received = answered.get(SigningKey(position=position, count=len(keys)))
            usable = "usable" if key is not None else "NOT USABLE"
            since = f"last callback {received:%Y-%m-%d %H:%M:%S} UTC" if received else "no callback remembered"
            self.stdout.write(f"  key {position} of {len(keys)}: {usable}, {since}")
        if not any(keys):
            self.stdout.write("  no usable key")

        problems = [f"{provider_id} has a key that cannot be used"] if None in keys else []
        if provider is not None and provider["enable_integration"] and not any(keys):
            problems.append(f"{provider_id} gets signed requests and has no usable key")
        return problems


def _describe(provider: ProviderDict | None) -> str:
    if provider is None:
        return "configured, but there is no such provider"
    return "gets signed requests" if provider["enable_integration"] else "gets no signed requests"
