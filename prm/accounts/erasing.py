"""Take the person out of an account. The row stays, because what was done names it; nobody can sign in by it or learn whose it was."""

from __future__ import annotations

from importlib import import_module

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry

from prm.accounts.models import User
from prm.lib.scrubbing import Needles, scrub_rows

NAME = "Erased person"


def erase(user: User, needles: Needles) -> None:
    """Anonymise the account, end its sessions and forget its ways to sign in."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for key in UserSession.objects.filter(user=user).values_list("session_key", flat=True):
        store(key).delete()
    UserSession.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    user.email, user.full_name, user.is_active = f"{user.public_id}@erased.invalid", NAME, False
    user.language, user.time_zone, user.last_login = "en", "UTC", None
    user.set_unusable_password()
    user.save()
    scrub_rows(LogEntry.objects.all(), needles, "object_repr", "change_message")
