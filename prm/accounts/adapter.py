"""Fit allauth to this house: closed sign-up, our mails, our rooms after the door, secrets encrypted at rest."""

from __future__ import annotations

import logging
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.forms import Form
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from prm.accounts import signup
from prm.accounts.models import User
from prm.lib import crypto
from prm.mail import outbox

logger = logging.getLogger(__name__)

TOTP_CONTEXT = "mfa_authenticator|data"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """How accounts behave here."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Let in whoever holds an invitation."""
        return signup.invited_email(request) is not None

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Trust a mailbox that the invitation has proven."""
        return signup.is_proven(request, email) or super().is_email_verified(request, email)

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """Keep the name and the language the person signed up with."""
        user.full_name = form.cleaned_data.get("full_name", "")
        user.language = (get_language() or "en").split("-")[0]
        saved: User = super().save_user(request, user, form, commit=commit)
        return saved

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Send staff to the back office and partners to the portal."""
        if isinstance(request.user, User) and request.user.is_staff:
            return resolve_url("admin:index")
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask for the password or second factor again, unless the person gave it within the last five minutes."""
        return (
            bool(super().is_reauthentication_required(app=app, **kwargs)) and not self._signed_in_just_now()
        )

    def must_sign_in_anew(self) -> bool:
        """Say whether only a new sign-in can tell who is there: some people have no password and no second factor.

        The library asks such people nothing, however long ago they signed in with a code.
        """
        has_another_way = bool(self.get_reauthentication_methods(self.request.user))
        return not has_another_way and not self._signed_in_just_now()

    def _signed_in_just_now(self) -> bool:
        records = get_authentication_records(self.request, self.request.user)
        last = max((record["at"] for record in records), default=0)
        return bool(time.time() - last < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a security mail at once, past the outbox: the outbox keeps texts, and these carry codes.

        A mail server that is away must not turn into an error page, nor tell strangers which addresses exist.
        """
        heading, text = self._text_of(template_prefix, email, context)
        subject, body, html = outbox.render(
            "account_notice",
            context={"heading": heading, "text": text, "code": context.get("code", "")},
            language=get_language() or "en",
        )
        message = EmailMultiAlternatives(subject, body, self.get_from_email(), [email])
        message.attach_alternative(html, "text/html")
        try:
            message.send()
        except Exception:  # SMTP libraries raise many kinds
            logger.exception("A security mail (%s) did not leave.", template_prefix)

    def _text_of(self, template_prefix: str, email: str, context: dict[str, Any]) -> tuple[str, str]:
        site = SimpleNamespace(
            name=outbox.frame("en")["brand_name"], domain=urlsplit(settings.SITE_URL).netloc
        )
        values = {"email": email, "current_site": site, **context}
        subject = " ".join(render_to_string(f"{template_prefix}_subject.txt", values).split())
        return subject, render_to_string(f"{template_prefix}_message.txt", values).strip()


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """How second factors behave here."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _(
            "Staff need a second factor. Add another one before you remove this one."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Keep seeds and recovery seeds unreadable in the database."""
        return crypto.encrypt(text, context=TOTP_CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        """Read what `encrypt` wrote."""
        return crypto.decrypt(encrypted_text, context=TOTP_CONTEXT)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Keep the last second factor of staff while staff must have one."""
        user = authenticator.user
        if not (settings.PRM_STAFF_MFA and user.is_staff):
            return True
        others = Authenticator.objects.filter(user=user).exclude(pk=authenticator.pk)
        return bool(others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Bind passkeys to the address of the site, not to the Host header of a request."""
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": outbox.frame("en")["brand_name"]}
