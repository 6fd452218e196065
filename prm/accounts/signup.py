"""Decide who may open an account. Nobody may unless invited, and an invitation is for one address."""

from __future__ import annotations

from django.http import HttpRequest

from prm.accounts.emails import fold_email

SESSION_KEY = "invited_email"


def allow(request: HttpRequest, email: str, *, proven: bool = True) -> None:
    """Let the visitor open an account for `email`, and for no other address, in this session.

    Whoever invites calls this when the invitation's link is opened. `proven` says that the link was mailed to that
    very address, so that opening it proves the mailbox and no code is asked for.
    """
    request.session[SESSION_KEY] = {"email": email, "proven": proven}


def invited_email(request: HttpRequest) -> str | None:
    """Return the address this visitor may open an account for."""
    invitation = request.session.get(SESSION_KEY)
    return str(invitation["email"]) if invitation else None


def is_invited(request: HttpRequest, email: str) -> bool:
    """Say whether the visitor was invited under `email`."""
    invited = invited_email(request)
    return invited is not None and fold_email(invited) == fold_email(email)


def is_proven(request: HttpRequest, email: str) -> bool:
    """Say whether the invitation proved that the visitor reads the mailbox `email`."""
    return is_invited(request, email) and bool(request.session[SESSION_KEY]["proven"])


def forget(request: HttpRequest) -> None:
    """Use the invitation up."""
    request.session.pop(SESSION_KEY, None)
