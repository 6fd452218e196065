"""Bind the accounts app: who may sign in and what each role may do. The staff groups always exist after a migration."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """The people who sign in, the keys programs use, and the roles of staff."""

    name = "prm.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Keep the staff groups in step with the policy after every migration."""
        from prm.accounts import policy

        post_migrate.connect(policy.groups_after_migrate, dispatch_uid="accounts.groups")
