"""Who may enter each address of the site. A new address needs a line here; the matrix test then tries every role at it.

The longest entry that begins the route counts; one that ends in `*` covers everything below it.
"""

from __future__ import annotations

from dataclasses import dataclass

STRANGER, BYSTANDER, PARTNER = "stranger", "bystander", "partner"
MANAGER, FINANCE, ADMINISTRATOR = "account manager", "finance", "administrator"
ROLES = (STRANGER, BYSTANDER, PARTNER, MANAGER, FINANCE, ADMINISTRATOR)
STAFF = frozenset({MANAGER, FINANCE, ADMINISTRATOR})
SIGNED_IN = frozenset(ROLES) - {STRANGER}
ANYBODY = frozenset(ROLES)
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Door:
    """Who may enter. Behind a `finer` door a further rule decides, which has tests of its own."""

    who: frozenset[str]
    finer: bool = False


DOORS: dict[str, Door] = {
    # How the site is.
    "livez": Door(ANYBODY),
    "readyz": Door(ANYBODY),
    "statusz": Door(STAFF),
    "i18n/setlang/": Door(ANYBODY),
    # Signing in: what each page shows depends on where in the sign-in a visitor stands.
    "accounts/*": Door(ANYBODY, finer=True),
    "accounts/email/": Door(SIGNED_IN, finer=True),
    "accounts/password/change/": Door(SIGNED_IN, finer=True),
    "accounts/password/set/": Door(SIGNED_IN, finer=True),
    "accounts/sessions/": Door(SIGNED_IN, finer=True),
    "accounts/2fa/*": Door(SIGNED_IN, finer=True),
    "accounts/2fa/authenticate/": Door(ANYBODY, finer=True),
    "accounts/2fa/webauthn/login/": Door(ANYBODY, finer=True),
    # The public rooms. An application is opened by the secret token in its address.
    "": Door(ANYBODY),
    "p/*": Door(ANYBODY),
    "robots.txt": Door(ANYBODY),
    "sitemap.xml": Door(ANYBODY),
    "application/*": Door(ANYBODY),
    "invitation/*": Door(ANYBODY),
    "invited/*": Door(ANYBODY),
    "credentials/*": Door(ANYBODY),
    "v/*": Door(ANYBODY),
    "r/<slug:slug>": Door(ANYBODY),
    # A signature opens the first; the second believes only clicks we know, and answers a picture.
    "in/<slug:public_id>": Door(ANYBODY, finer=True),
    "px/<slug:public_id>.gif": Door(ANYBODY, finer=True),
    "l/<slug:slug>": Door(ANYBODY),
    "i/<slug:slug>.gif": Door(ANYBODY),
    # The partner's rooms.
    "portal/*": Door(frozenset({PARTNER}), finer=True),
    "portal/": Door(SIGNED_IN, finer=True),
    "portal/account/": Door(SIGNED_IN, finer=True),
    # Machines: a key opens these, a browser session never does.
    "api/v1/*": Door(NOBODY),
    "api/schema/": Door(ANYBODY),
    "api/docs/": Door(ANYBODY),
    # A shop that is there only where the demo is.
    "demo/shop/": Door(ANYBODY, finer=True),
    "demo/shop/buy": Door(ANYBODY, finer=True),
    # Every component on one page, for whoever builds pages.
    "style-guide/": Door(STAFF),
    # The back office: which role sees which page is decided by prm/accounts/policy.py.
    "admin/*": Door(STAFF, finer=True),
    "admin/login/": Door(ANYBODY, finer=True),
}


def entry_for(route: str) -> str | None:
    """Return the entry that speaks for a route."""
    if route in DOORS:
        return route
    families = [entry for entry in DOORS if entry.endswith("*") and route.startswith(entry[:-1])]
    return max(families, key=len, default=None)
