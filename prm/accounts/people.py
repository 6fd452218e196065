"""Open, change and close the accounts of people. A person always has one confirmed-or-not address of record beside the account."""

from __future__ import annotations

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.accounts.emails import fold_email
from prm.accounts.models import User
from prm.lib.errors import Refused


class AddressTaken(Refused):
    """Somebody else signs in with this address."""

    message = _("Somebody already signs in with this address.")
    field = "email"


class OwnRoles(Refused):
    """People do not give themselves roles."""

    message = _("Another administrator has to change your own roles.")
    field = "roles"


def find(email: str) -> User | None:
    """Return the person who signs in with `email`."""
    return User.objects.filter(email_folded=fold_email(email)).first()


@transaction.atomic
def open_account(
    *,
    email: str,
    at: datetime,
    by: User | None = None,
    full_name: str = "",
    language: str = "en",
    time_zone: str = "UTC",
    password: str | None = None,
    proven: bool = False,
    is_staff: bool = False,
) -> User:
    """Open an account, or return the one that `email` already has, unchanged.

    Without a password the person signs in with a code sent by mail. `proven` says that we know they read the mailbox,
    for instance because they came through a link sent to it.
    """
    known = find(email)
    if known is not None:
        return known
    user = User.objects.create_user(
        email,
        password,
        full_name=full_name,
        language=language,
        time_zone=time_zone,
        is_staff=is_staff,
        joined_at=at,
    )
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=proven, primary=True)
    audit.record(by, "account.opened", user, at=at)
    return user


@transaction.atomic
def change_email(user: User, *, email: str, by: User, at: datetime) -> User:
    """Give `user` another address; the new one is unconfirmed, so the next sign-in asks for a code.

    Raises: Forbidden, AddressTaken.
    """
    policy.require(by, "manage_staff")
    holder = find(email)
    if holder is not None and holder != user:
        raise AddressTaken
    before, user.email = user.email, email.strip()
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=False, primary=True)
    audit.record(by, "account.email_changed", user, at=at, before=before, after=user.email)
    return user


@transaction.atomic
def set_roles(user: User, *, roles: frozenset[str], by: User, at: datetime) -> User:
    """Give `user` exactly these staff roles; nobody changes their own.

    Raises: Forbidden.
    """
    policy.require(by, "manage_staff")
    if user == by:
        raise OwnRoles
    before = sorted(user.groups.filter(name__in=policy.ROLES).values_list("name", flat=True))
    policy.replace_roles(user, roles)
    audit.record(by, "account.roles_changed", user, at=at, before=before, after=sorted(roles))
    return user


@transaction.atomic
def close_account(user: User, *, by: User, at: datetime, note: str = "") -> User:
    """Shut an account: its sessions end with the next request, and signing in is refused.

    Raises: Forbidden.
    """
    policy.require(by, "manage_staff")
    if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
        audit.record(by, "account.closed", user, at=at, note=note)
    user.refresh_from_db()
    return user


def note_profile_change(user: User, *, fields: list[str], by: User, at: datetime) -> None:
    """Record that `by` changed these fields of `user`."""
    audit.record(by, "account.changed", user, at=at, fields=fields)
