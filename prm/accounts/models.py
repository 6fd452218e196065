"""The people who sign in and the keys programs call with. A mailbox belongs to one person; a key's secret is never stored."""

from __future__ import annotations

import hmac
import zoneinfo
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prm.accounts.choices import Language, Scope
from prm.accounts.emails import fold_email
from prm.accounts.managers import UserManager
from prm.lib.constraints import ends_after_start, one_of, set_together
from prm.lib.fields import PublicIdField


def known_time_zone(value: str) -> None:
    """Refuse a time zone name the tz database does not have."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(value)s” is not a time zone."), params={"value": value})


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: staff of the operator or a member of a partner's team."""

    public_id = PublicIdField(prefix="usr")
    email = models.EmailField(_("e-mail address"), max_length=254)
    email_folded = models.CharField(max_length=320, editable=False)
    full_name = models.CharField(_("full name"), max_length=150, blank=True)
    language = models.CharField(
        _("language"), max_length=8, choices=Language.choices, default=Language.ENGLISH
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[known_time_zone])
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = (
            models.UniqueConstraint(fields=["email"], name="accounts_user_email_unique"),
            models.UniqueConstraint(fields=["email_folded"], name="accounts_user_email_folded_unique"),
            models.CheckConstraint(
                condition=~models.Q(email_folded=""),
                name="accounts_user_email_folded_present",
            ),
            one_of("language", Language, name="accounts_user_language_known"),
        )

    def __str__(self) -> str:
        return self.full_name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the person, keeping the folded address in step with the address."""
        self.email_folded = fold_email(self.email)
        fields: Iterable[str] | None = kwargs.get("update_fields")
        if fields is not None and "email" in fields:
            kwargs["update_fields"] = {*fields, "email_folded"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Trim the address and keep what was typed otherwise."""
        self.email = self.email.strip()

    def get_full_name(self) -> str:
        """Return the name to greet the person with."""
        return self.full_name or self.email

    def get_short_name(self) -> str:
        """Return the first word of the name."""
        return (self.full_name or self.email).split()[0]


class ApiKey(models.Model):
    """A key a server calls the API with; only the hash of its secret is kept."""

    public_id = PublicIdField(prefix="key")
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=16, editable=False)
    secret_sha256 = models.CharField(max_length=64, editable=False)
    # After a rotation the secret before opens as well, until then.
    previous_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    previous_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    calls_per_minute = models.PositiveIntegerField(
        _("calls a minute"),
        null=True,
        blank=True,
        help_text=_("Empty: what the installation allows each key."),
    )
    scopes = models.JSONField(_("scopes"), default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="api_keys_created",
        editable=False,
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="api_keys_revoked",
        null=True,
        blank=True,
        editable=False,
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = (
            models.UniqueConstraint(fields=["prefix"], name="accounts_apikey_prefix_unique"),
            set_together("revoked_at", "revoked_by", name="accounts_apikey_revoked_together"),
            ends_after_start("created_at", "expires_at", name="accounts_apikey_expires_after_created"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def opens_with(self, sha256: str, *, at: datetime) -> bool:
        """Say whether a secret with this hash opens the key at `at`; every comparison takes the same time."""
        is_new = hmac.compare_digest(self.secret_sha256, sha256)
        is_old = hmac.compare_digest(self.previous_sha256 or "-" * 64, sha256)
        return is_new or (is_old and self.previous_ends_at is not None and at < self.previous_ends_at)

    def is_usable(self, *, at: datetime) -> bool:
        """Say whether the key opens anything at `at`."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def allows(self, scope: str) -> bool:
        """Say whether the key carries `scope`; a scope the product does not know is never carried."""
        return scope in Scope.values and scope in self.scopes


class IdempotencyKey(models.Model):
    """What a caller was answered under an `Idempotency-Key`. Row and answer are written with what the call did, so that a retry is
    answered the same, and what failed leaves nothing. Kept for a week."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)
    # Zero inside the transaction that does the work; nobody else ever reads it.
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("answer kept for a retry")
        verbose_name_plural = _("answers kept for retries")
        constraints = (
            models.UniqueConstraint(fields=["api_key", "key"], name="accounts_idempotencykey_once"),
            models.CheckConstraint(condition=~models.Q(key=""), name="accounts_idempotencykey_named"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
