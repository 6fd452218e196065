"""What a request tells about who sent it. The network address is read past exactly as many proxies as the settings trust."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Return the visitor's network address, None when it cannot be told."""
    try:
        found = str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return None
    return found.partition("%")[0]
