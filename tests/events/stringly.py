"""Payload classes whose annotations are strings at run time (events contract 3.1, E2)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from events.types import Nullable

if TYPE_CHECKING:
    from decimal import Decimal


@attrs.frozen
class Stamp:
    price: int


@attrs.frozen
class Letter:
    text: str
    stamp: Stamp
    sent: Nullable[datetime] = None


@attrs.frozen
class Lost:
    """One annotation is known to type checkers only."""

    weight: Decimal


@attrs.frozen
class Chain:
    next: Nullable[Chain] = None
