"""Two rows of one partner, as everybody who moves something when they become one is told of them. It holds and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from partners.models import Membership, Partner

if TYPE_CHECKING:
    from prm.accounts.models import User


@dataclass(frozen=True)
class Merge:
    """Two partners that become one. `pairs` are the memberships both have in one program: the one that ends, the one that goes on."""

    duplicate: Partner
    into: Partner
    by: User
    at: datetime
    pairs: tuple[tuple[Membership, Membership], ...]
