"""The people of the demo house. Their passwords are printed at start and exist nowhere but in a demo."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress

from prm.accounts import policy
from prm.accounts.models import User

PASSWORD = "demo-house-2026"  # noqa: S105  # shown on the terminal; a demo never holds real money


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    role: str

    def user(self) -> User:
        return User.objects.get_by_natural_key(self.email)


ADMINISTRATOR = Person("ada@halden.example", "Ada Halden", policy.ADMINISTRATOR)
ACCOUNT_MANAGER = Person("mats@halden.example", "Mats Lindqvist", policy.ACCOUNT_MANAGER)
ACCOUNT_MANAGER_TOO = Person("noor@halden.example", "Noor Haddad", policy.ACCOUNT_MANAGER)
FINANCE_PREPARES = Person("fiona@halden.example", "Fiona Brandt", policy.FINANCE)
FINANCE_APPROVES = Person("felix@halden.example", "Felix Moreau", policy.FINANCE)
STAFF = (ADMINISTRATOR, ACCOUNT_MANAGER, ACCOUNT_MANAGER_TOO, FINANCE_PREPARES, FINANCE_APPROVES)
PARTNER = Person("ines@northwind.example", "Ines Duarte", "")
PARTNER_CODE = "UK-11"


def make_staff() -> None:
    """Create the staff with their roles, e-mail addresses confirmed."""
    policy.ensure_groups()
    for person in STAFF:
        user = User.objects.create_user(
            person.email, PASSWORD, full_name=person.name, time_zone="Europe/London"
        )
        policy.give_role(user, person.role)
        EmailAddress.objects.create(user=user, email=person.email, verified=True, primary=True)


def logins() -> list[tuple[str, str, str]]:
    """Return the accounts to try: who it is, the address, the password."""
    return [
        ("partner", PARTNER.email, PASSWORD),
        ("administrator", ADMINISTRATOR.email, PASSWORD),
        ("account manager", ACCOUNT_MANAGER.email, PASSWORD),
        ("finance, prepares", FINANCE_PREPARES.email, PASSWORD),
        ("finance, approves", FINANCE_APPROVES.email, PASSWORD),
    ]
