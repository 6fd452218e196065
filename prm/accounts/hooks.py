"""Write sign-in events of Django and allauth into the audit record. These are framework hooks; apps of ours use events."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.http import HttpRequest

from prm import audit
from prm.accounts import signup
from prm.accounts.models import User


def connect() -> None:
    """Listen to the frameworks; asking twice changes nothing."""
    auth.user_logged_in.connect(_signed_in, dispatch_uid="accounts.signed_in")
    account.user_signed_up.connect(_signed_up, dispatch_uid="accounts.signed_up")
    for signal, action in (
        (account.password_set, "account.password_set"),
        (account.password_changed, "account.password_changed"),
        (account.password_reset, "account.password_reset"),
        (mfa.authenticator_added, "account.second_factor_added"),
        (mfa.authenticator_removed, "account.second_factor_removed"),
        (mfa.authenticator_reset, "account.second_factor_reset"),
    ):
        signal.connect(_recorder(action), weak=False, dispatch_uid=action)
    account.email_changed.connect(_email_changed, dispatch_uid="accounts.email_changed")


def _recorder(action: str) -> Any:
    def listen(sender: Any, user: User, **kwargs: Any) -> None:
        authenticator = kwargs.get("authenticator")
        audit.record(user, action, user, factor=str(authenticator.type) if authenticator is not None else "")

    return listen


def _signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    audit.record(user, "account.signed_in", user)


def _signed_up(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    audit.record(user, "account.opened", user)
    signup.forget(request)


def _email_changed(sender: Any, user: User, **kwargs: Any) -> None:
    before, after = kwargs.get("from_email_address"), kwargs.get("to_email_address")
    audit.record(
        user,
        "account.email_changed",
        user,
        before=before.email if before is not None else "",
        after=after.email if after is not None else "",
    )
