"""Bind the mail app: the outbox every message leaves through. A message is stored in the transaction that caused it."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    """The outbox of e-mails."""

    name = "prm.mail"
    label = "mail"
    verbose_name = _("Mail")
