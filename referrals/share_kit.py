"""Write what a partner can send and post about a link, in one language: a mail, two posts, a piece of HTML. Every text says that the link is
one the partner earns by, and nothing is promised that the partner's code does not give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote, urlencode

from django.utils.html import escape
from django.utils.translation import gettext as _

from partners.models import Membership
from prm.lib import l10n
from prm.lib.money import Money
from referrals.code_terms import is_usable
from referrals.models import Code, Link
from referrals.redirect import host_of

PERCENT = Decimal(100)


@dataclass(frozen=True)
class Text:
    """One text to copy; `rows` is how high its box is."""

    key: str
    label: str
    text: str
    rows: int


@dataclass(frozen=True)
class Share:
    """An address that opens somebody else's page with the text filled in."""

    label: str
    href: str


@dataclass(frozen=True)
class Kit:
    """All there is to share about one link."""

    subject: str
    texts: tuple[Text, ...]
    mailto: str
    networks: tuple[Share, ...]


def kit_of(link: Link, *, url: str, shop: str, code: Code | None) -> Kit:
    """Return what can be shared about a link in the language in force; `shop` is what customers know the place by."""
    subject = _("A tip: %(shop)s") % {"shop": shop}
    saving = saving_text(code) if code is not None else ""
    mail = _mail(url, shop, saving)
    short = _short(shop, saving)
    long = "\n".join([*_long(shop, saving), url])
    texts = (
        Text("mail", _("Text of a mail"), mail, 10),
        Text("short", _("Short post"), f"{short} {url}", 3),
        Text("long", _("Longer post"), long, 6),
        Text("html", _("HTML for your website"), html_snippet(url, shop), 3),
    )
    return Kit(
        subject=subject,
        texts=texts,
        mailto=f"mailto:?{urlencode({'subject': subject, 'body': mail}, quote_via=quote)}",
        networks=tuple(_networks(url, short)),
    )


def best_code(membership: Membership, *, at: datetime) -> Code | None:
    """Return the code to name beside a link: one that works now, rather with a discount, the oldest of them."""
    found = Code.objects.active().filter(membership=membership).order_by("created_at", "pk")
    usable = [code for code in found.select_related("membership__program") if is_usable(code, at=at)]
    return next((code for code in usable if discount_text(code)), usable[0] if usable else None)


def shop_of(link: Link) -> str:
    """Return what customers know the place by that a link leads to: its domain."""
    return host_of(link.destination_url).removeprefix("www.")


def discount_text(code: Code) -> str:
    """Return what a code takes off, as people write it; nothing when it takes nothing off."""
    locale = l10n.active_locale()
    if code.discount_percent is not None:
        return l10n.percent_text(code.discount_percent / PERCENT, locale)
    if code.discount_minor is not None:
        return l10n.short_money_text(Money(code.discount_minor, code.membership.program.currency), locale)
    return ""


def saving_text(code: Code) -> str:
    """Return the sentence about a code."""
    discount = discount_text(code)
    if discount:
        return _("With the code %(code)s you save %(discount)s.") % {"code": code.code, "discount": discount}
    return _("Use the code %(code)s when you order.") % {"code": code.code}


def html_snippet(url: str, shop: str) -> str:
    """Return a link as HTML, with everything in it escaped; search engines are told that it is an advertisement.

    It is a text to be shown and copied, never a part of our own page.
    """
    return f'<a href="{escape(url)}" rel="sponsored noopener">{escape(shop)}</a>'


def _mail(url: str, shop: str, saving: str) -> str:
    told = [_("Hello,"), _("I would like to recommend %(shop)s to you.") % {"shop": shop}]
    if saving:
        told.append(saving)
    return "\n\n".join([*told, url, _disclosure()])


def _short(shop: str, saving: str) -> str:
    text = _("Advertisement: my tip is %(shop)s.") % {"shop": shop}
    return f"{text} {saving}" if saving else text


def _long(shop: str, saving: str) -> list[str]:
    told = [_("I would like to recommend %(shop)s to you.") % {"shop": shop}]
    return [*told, *([saving] if saving else []), _disclosure()]


def _disclosure() -> str:
    return _("Advertisement: I earn a commission when you buy through this link. It costs you nothing extra.")


def _networks(url: str, text: str) -> Iterable[Share]:
    both = f"{text} {url}"
    yield Share("WhatsApp", f"https://wa.me/?{_query(text=both)}")
    yield Share("Telegram", f"https://t.me/share/url?{_query(url=url, text=text)}")
    yield Share("Facebook", f"https://www.facebook.com/sharer/sharer.php?{_query(u=url)}")
    yield Share("LinkedIn", f"https://www.linkedin.com/sharing/share-offsite/?{_query(url=url)}")
    yield Share("X", f"https://x.com/intent/post?{_query(text=text, url=url)}")
    yield Share("Bluesky", f"https://bsky.app/intent/compose?{_query(text=both)}")


def _query(**values: str) -> str:
    return urlencode(values, quote_via=quote)
