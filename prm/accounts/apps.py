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
        """Keep the groups in step with the policy, audit sign-ins, and give the back office the one front door."""
        from allauth.account.decorators import secure_admin_login
        from django.contrib import admin

        from prm.accounts import hooks, policy

        post_migrate.connect(policy.groups_after_migrate, dispatch_uid="accounts.groups")
        hooks.connect()
        # The stock form knows neither our rate limits nor second factors, so it is never shown.
        admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
