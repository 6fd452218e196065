"""News from the partners app, announced after commit. Who listens is written in prm/wiring.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApplicationSubmitted:
    application_id: int


@dataclass(frozen=True)
class MembershipApproved:
    membership_id: int


@dataclass(frozen=True)
class PlacementChanged:
    membership_id: int
