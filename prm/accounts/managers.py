"""Create and find people. An address is always compared by its folded form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import BaseUserManager

from prm.accounts.emails import fold_email

if TYPE_CHECKING:
    from prm.accounts.models import User


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person who signs in with `email`; without a password they sign in by code."""
        if not email.strip():
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create the break-glass account that may do everything the policy allows anyone."""
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> User:
        """Find the person whose folded address is the one typed."""
        return self.get(email_folded=fold_email(username or ""))
