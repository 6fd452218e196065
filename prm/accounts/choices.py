"""The closed lists of the accounts app: languages of people and scopes of API keys."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    """Languages a person can read the product in."""

    ENGLISH = "en", _("English")
    FRENCH = "fr", _("French")
    POLISH = "pl", _("Polish")


class Scope(models.TextChoices):
    """What an API key may do; a key without a scope may do nothing."""

    CONVERSIONS_WRITE = "conversions:write", _("Record conversions and refunds")
    CONVERSIONS_READ = "conversions:read", _("Read conversions")
    TOUCHES_WRITE = "touches:write", _("Tell deals, leads and introductions")
    COMMISSIONS_READ = "commissions:read", _("Read commissions and why they are what they are")
    PLANS_TRY = "plans:try", _("Try orders on plans")
