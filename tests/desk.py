"""Sit somebody down at the back office: a client signed in with a second factor, and readers for what the pages say."""

from __future__ import annotations

import html
import re
from typing import Protocol

from allauth.mfa.models import Authenticator
from django.test import Client

from prm.accounts.models import User


class Page(Protocol):
    """An answer with a body, from a client or from a view."""

    @property
    def content(self) -> bytes: ...


def at_desk(user: User) -> Client:
    """Return a client signed in as `user`, who has a second factor as staff must."""
    Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": {}})
    client = Client()
    client.force_login(user)
    return client


def words(response: Page) -> str:
    """Return what a page says, without its markup."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def links(response: Page) -> set[str]:
    """Return every address a page leads to."""
    return {html.unescape(found) for found in re.findall(r'href="([^"]+)"', response.content.decode())}
