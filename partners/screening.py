"""Look at an application for what a reviewer should know before deciding. A signal is a hint for a person and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.choices import ApplicationState, MembershipState
from partners.models import Application, Member, Membership, Partner
from prm.accounts.emails import fold_email

OK: Literal["ok"] = "ok"
WARN: Literal["warn"] = "warn"
SHORT_TEXT = 40
_NEAR = timedelta(days=90)
_PUBLIC_MAIL = frozenset(
    {"aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "interia.pl"}
    | {
        "laposte.net",
        "live.com",
        "mail.com",
        "me.com",
        "msn.com",
        "o2.pl",
        "onet.pl",
        "orange.fr",
        "outlook.com",
    }
    | {
        "proton.me",
        "protonmail.com",
        "sfr.fr",
        "wanadoo.fr",
        "web.de",
        "wp.pl",
        "yahoo.com",
        "yahoo.co.uk",
        "yahoo.fr",
    }
)
_PLATFORMS = frozenset(
    {
        "facebook.com",
        "instagram.com",
        "linkedin.com",
        "linktr.ee",
        "medium.com",
        "pinterest.com",
        "substack.com",
    }
    | {"tiktok.com", "twitch.tv", "twitter.com", "x.com", "youtube.com", "youtu.be"}
)
# Endings under which names are registered one level deeper, as far as our applicants' countries use them.
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})
_FORMS = frozenset(
    {
        "ab",
        "ag",
        "as",
        "bv",
        "co",
        "company",
        "corp",
        "gmbh",
        "inc",
        "kft",
        "limited",
        "llc",
        "llp",
        "ltd",
        "oy",
    }
    | {"plc", "sa", "sarl", "sas", "spa", "srl"}
)


@dataclass(frozen=True)
class Signal:
    """One finding: `ok` was looked at and is fine, `warn` wants a second look."""

    level: Literal["ok", "warn"]
    code: str
    text: str


def signals(application: Application) -> list[Signal]:
    """Return what was checked about `application`, warnings first."""
    found = [signal for check in _CHECKS for signal in check(application)]
    return sorted(found, key=lambda signal: signal.level != WARN)


def domain_of(address: str) -> str:
    """Return the registered domain of a web address, a host name or an e-mail address, in lower case."""
    host = address.rpartition("@")[2] if "@" in address and "/" not in address else _host(address)
    labels = host.lower().rstrip(".").split(".")
    keep = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[-keep:])


def name_key(name: str) -> str:
    """Return a company's name without legal form, case and punctuation, for comparing."""
    words = "".join(char if char.isalnum() else " " for char in fold_email(name)).split()
    kept = [word for word in words if word not in _FORMS]
    return " ".join(kept or words)


def is_disposable(email: str) -> bool:
    """Say whether the mailbox is at a provider of throw-away addresses."""
    host = email.rpartition("@")[2].lower()
    return host in _disposable() or domain_of(email) in _disposable()


def _host(address: str) -> str:
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=1)
def _disposable() -> frozenset[str]:
    lines = Path(__file__).with_name("disposable_domains.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _confirmed(application: Application) -> Iterator[Signal]:
    if application.email_confirmed_at is None:
        yield Signal(WARN, "email_not_confirmed", _("The e-mail address is not confirmed yet."))
    else:
        yield Signal(OK, "email_confirmed", _("The e-mail address is confirmed."))


def _mailbox(application: Application) -> Iterator[Signal]:
    if is_disposable(application.email):
        yield Signal(WARN, "disposable_email", _("The mailbox is at a provider of throw-away addresses."))
    site, mail = domain_of(application.website), domain_of(application.email)
    if not application.website or site in _PLATFORMS:
        return
    if mail == site:
        yield Signal(
            OK, "same_domain", _("E-mail and website share the domain %(domain)s.") % {"domain": site}
        )
    elif mail in _PUBLIC_MAIL:
        text = _("The mailbox is at a public provider (%(mail)s), the website is %(site)s.")
        yield Signal(WARN, "public_mailbox", text % {"mail": mail, "site": site})
    else:
        text = _("E-mail (%(mail)s) and website (%(site)s) have different domains.")
        yield Signal(WARN, "other_domain", text % {"mail": mail, "site": site})


def _same_mailbox(application: Application) -> Iterator[Signal]:
    places = Member.objects.current().filter(user__email_folded=application.email_folded)
    for member in places.select_related("partner").order_by("pk")[:5]:
        text = _("The mailbox belongs to the team of %(partner)s (%(role)s).")
        values = {"partner": member.partner.name, "role": member.get_role_display()}
        yield Signal(WARN, "known_mailbox", text % values)
    others = Application.objects.filter(email_folded=application.email_folded).exclude(pk=application.pk)
    words = dict(ApplicationState.choices)
    for other in others.select_related("program").order_by("-created_at", "-pk")[:5]:
        text = _("The same mailbox applied to %(program)s (%(state)s).")
        values = {"program": other.program.name, "state": str(words[other.state])}
        yield Signal(WARN, "earlier_application", text % values)


def _same_company(application: Application) -> Iterator[Signal]:
    key = name_key(application.company)
    first_word = key.split(" ")[0] if key else ""
    site = domain_of(application.website) if application.website else ""
    # The database narrows down, the exact comparison is made here and the same on every database.
    near = Q(name__icontains=first_word) if first_word else Q(pk=None)
    if site and site not in _PLATFORMS:
        near |= Q(website__icontains=site)
    for partner in Partner.objects.filter(near).order_by("pk")[:200]:
        if key and name_key(partner.name) == key:
            text = _("A partner of the same name exists: %(partner)s.")
            yield Signal(WARN, "same_company", text % {"partner": partner.name})
        elif site and site not in _PLATFORMS and partner.website and domain_of(partner.website) == site:
            text = _("%(partner)s has the same website, %(site)s.")
            yield Signal(WARN, "same_website", text % {"partner": partner.name, "site": site})


def _banned(application: Application) -> Iterator[Signal]:
    mailbox = Q(partner__members__user__email_folded=application.email_folded)
    out = Membership.objects.filter(mailbox, state__in=[MembershipState.BANNED, MembershipState.TERMINATED])
    for membership in out.select_related("program").distinct()[:5]:
        text = _("A membership of the same person in %(program)s was ended by us.")
        yield Signal(WARN, "ended_by_us", text % {"program": membership.program.name})


def _same_address(application: Application) -> Iterator[Signal]:
    if application.address is None:
        return
    since = application.created_at - _NEAR
    others = Application.objects.filter(address=application.address, created_at__gte=since)
    others = others.exclude(email_folded=application.email_folded)
    count = others.values("email_folded").distinct().count()
    if count:
        text = ngettext(
            "%(count)s other applicant used the same network address within 90 days.",
            "%(count)s other applicants used the same network address within 90 days.",
            count,
        )
        yield Signal(WARN, "same_address", text % {"count": count})
    else:
        yield Signal(OK, "own_address", _("Nobody else applied from this network address."))


def _text(application: Application) -> Iterator[Signal]:
    if len(application.how_promote.strip()) < SHORT_TEXT:
        yield Signal(WARN, "short_text", _("Says little about how they will promote."))


_CHECKS: tuple[Callable[[Application], Iterator[Signal]], ...] = (
    _confirmed,
    _mailbox,
    _same_mailbox,
    _same_company,
    _banned,
    _same_address,
    _text,
)
