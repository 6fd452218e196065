"""Bind the audit app: who did what, when and to which object. Audit rows are written once and never changed."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """The append-only record of decisions."""

    name = "prm.audit"
    label = "audit"
    verbose_name = _("Audit")
