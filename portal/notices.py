"""What stands at the top of a page until its cause is gone, and what whoever writes it knows of the visit. Pages show it, they decide nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from partners.models import Membership
from tiers.models import Program


@dataclass(frozen=True)
class Notice:
    """A sentence above a page that stays until its cause is gone."""

    tone: str
    text: str
    title: str = ""
    href: str = ""
    action: str = ""


class Visit(Protocol):
    """A person in one of the own memberships, at one moment; every room is one."""

    @property
    def membership(self) -> Membership: ...

    @property
    def program(self) -> Program: ...

    @property
    def zone(self) -> ZoneInfo: ...

    @property
    def at(self) -> datetime: ...

    def may(self, capability: str) -> bool: ...
