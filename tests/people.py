"""The cast. Ana applies, Mats manages partners, Fiona prepares payments, Felix approves them, Ada sets the house up."""

from __future__ import annotations

from prm.accounts import policy
from prm.accounts.models import User
from tests.factories.prm import UserFactory


def ada() -> User:
    return _person("ada@halden.example", "Ada Halden", policy.ADMINISTRATOR)


def mats() -> User:
    return _person("mats@halden.example", "Mats Lindqvist", policy.ACCOUNT_MANAGER)


def fiona() -> User:
    return _person("fiona@halden.example", "Fiona Brandt", policy.FINANCE)


def felix() -> User:
    return _person("felix@halden.example", "Felix Moreau", policy.FINANCE)


def ana() -> User:
    return _person("ana@studio.example", "Ana Prado", None)


def _person(email: str, name: str, role: str | None) -> User:
    known = User.objects.filter(email_folded=email).first()
    person: User = known or UserFactory(email=email, full_name=name, role=role, time_zone="Europe/London")
    return person
