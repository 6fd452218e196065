"""Look at an application for what a reviewer should know before deciding. A signal is a hint: only rules that somebody switched on, and
people, decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.choices import ApplicationState, BlockedKind, ReferenceAnswer, RuleDecision
from partners.models import Application, Blocked
from partners.screening_around import MOST, Around, Traits, look_around
from partners.screening_words import PLATFORMS, PUBLIC_MAIL, domain_of, is_disposable, name_key

__all__ = ["OK", "WARN", "Signal", "codes_of", "domain_of", "is_disposable", "name_key", "signals"]

OK: Literal["ok"] = "ok"
WARN: Literal["warn"] = "warn"
SHORT_TEXT = 40
_NEAR = timedelta(days=90)


@dataclass(frozen=True)
class Signal:
    """One finding: `ok` was looked at and is fine, `warn` wants a second look."""

    level: Literal["ok", "warn"]
    code: str
    text: str


def signals(application: Application, around: Around | None = None) -> list[Signal]:
    """Return what was checked about `application`, warnings first."""
    around = around if around is not None else look_around([application])
    found = [signal for check in _CHECKS for signal in check(application, around)]
    return sorted(found, key=lambda signal: signal.level != WARN)


def codes_of(found: list[Signal]) -> frozenset[str]:
    """Return the codes of signals."""
    return frozenset(signal.code for signal in found)


def code_choices() -> list[tuple[str, str]]:
    """Return every code a condition may ask about, with its words."""
    return [
        ("email_not_confirmed", _("The e-mail address is not confirmed")),
        ("disposable_email", _("Throw-away mailbox")),
        ("public_mailbox", _("Mailbox at a public provider, website elsewhere")),
        ("other_domain", _("E-mail and website have different domains")),
        ("same_domain", _("E-mail and website share a domain")),
        ("platform_website", _("The website is a profile on a platform")),
        ("known_mailbox", _("The mailbox belongs to a partner's team")),
        ("earlier_application", _("The same mailbox applied before")),
        ("same_company", _("A partner has the same name")),
        ("same_website", _("A partner has the same website")),
        ("same_mail_domain", _("Shares its e-mail domain with a partner or another applicant")),
        ("same_phone", _("Shares its phone number with a partner or another applicant")),
        ("same_vat", _("Shares its VAT number with a partner or another applicant")),
        ("same_place", _("Shares its address with a partner or another applicant")),
        ("ended_by_us", _("We ended a membership of this person")),
        ("same_address", _("Others applied from the same network address")),
        ("short_text", _("Says little about how they will promote")),
        ("blocked_domain", _("Blocked domain")),
        ("blocked_email", _("Blocked e-mail address")),
        ("blocked_country", _("Blocked country")),
        ("reference_denied", _("A reference does not confirm")),
        ("references_silent", _("No reference has answered")),
        ("competitor", _("A prospect's note says they compete or overlap")),
    ]


def _confirmed(application: Application, _around: Around) -> Iterator[Signal]:
    if application.email_confirmed_at is None:
        yield Signal(WARN, "email_not_confirmed", _("The e-mail address is not confirmed yet."))
    else:
        yield Signal(OK, "email_confirmed", _("The e-mail address is confirmed."))


def _mailbox(application: Application, _around: Around) -> Iterator[Signal]:
    if is_disposable(application.email):
        yield Signal(WARN, "disposable_email", _("The mailbox is at a provider of throw-away addresses."))
    site, mail = domain_of(application.website), domain_of(application.email)
    if not application.website:
        return
    if site in PLATFORMS:
        if application.company:
            text = _("The website is a profile on %(site)s: it says little about the company.")
            yield Signal(OK, "platform_website", text % {"site": site})
    elif mail == site:
        text = _("E-mail and website share the domain %(domain)s.")
        yield Signal(OK, "same_domain", text % {"domain": site})
    elif mail in PUBLIC_MAIL:
        text = _("The mailbox is at a public provider (%(mail)s), the website is %(site)s.")
        yield Signal(WARN, "public_mailbox", text % {"mail": mail, "site": site})
    else:
        text = _("E-mail (%(mail)s) and website (%(site)s) have different domains.")
        yield Signal(WARN, "other_domain", text % {"mail": mail, "site": site})


def _same_mailbox(application: Application, around: Around) -> Iterator[Signal]:
    for member in around.places.get(application.email_folded, [])[:MOST]:
        text = _("The mailbox belongs to the team of %(partner)s (%(role)s).")
        values = {"partner": member.partner.name, "role": member.get_role_display()}
        yield Signal(WARN, "known_mailbox", text % values)
    words = dict(ApplicationState.choices)
    same = [each for each in around.same_mailbox.get(application.email_folded, []) if each != application]
    for other in same[:MOST]:
        text = _("The same mailbox applied to %(program)s (%(state)s).")
        values = {"program": other.program.name, "state": str(words[other.state])}
        yield Signal(WARN, "earlier_application", text % values)


def _partners_alike(application: Application, around: Around) -> Iterator[Signal]:
    site, mail = domain_of(application.website), domain_of(application.email)
    for partner, shared in around.alike(application, partners=True)[:MOST]:
        if "name" in shared:
            text = _("A partner of the same name exists: %(partner)s.")
            yield Signal(WARN, "same_company", text % {"partner": partner.text})
        elif "site" in shared:
            text = _("%(partner)s has the same website, %(site)s.")
            yield Signal(WARN, "same_website", text % {"partner": partner.text, "site": site})
        elif "mail" in shared:
            text = _("%(partner)s has the same e-mail domain, %(domain)s.")
            yield Signal(WARN, "same_mail_domain", text % {"partner": partner.text, "domain": mail})
        yield from _details(partner, shared)


def _applications_alike(application: Application, around: Around) -> Iterator[Signal]:
    for other, shared in around.alike(application, partners=False)[:MOST]:
        if "mail" in shared:
            text = _("Another applicant has the same e-mail domain: %(partner)s.")
            yield Signal(WARN, "same_mail_domain", text % {"partner": other.text})
        yield from _details(other, shared)


def _details(other: Traits, shared: set[str]) -> Iterator[Signal]:
    name = {"partner": other.text}
    if "vat" in shared:
        yield Signal(WARN, "same_vat", _("%(partner)s has the same VAT number.") % name)
    if "phone" in shared:
        yield Signal(WARN, "same_phone", _("%(partner)s has the same phone number.") % name)
    if "place" in shared:
        yield Signal(WARN, "same_place", _("%(partner)s has the same street and postcode.") % name)


def _ended_by_us(application: Application, around: Around) -> Iterator[Signal]:
    for membership in around.ended_by_us.get(application.email_folded, [])[:MOST]:
        text = _("A membership of the same person in %(program)s was ended by us.")
        yield Signal(WARN, "ended_by_us", text % {"program": membership.program.name})


def _same_address(application: Application, around: Around) -> Iterator[Signal]:
    if application.address is None:
        return
    since = application.created_at - _NEAR
    seen = around.addresses.get(str(application.address), [])
    count = len({mailbox for at, mailbox in seen if at >= since} - {application.email_folded})
    if count:
        text = ngettext(
            "%(count)s other applicant used the same network address within 90 days.",
            "%(count)s other applicants used the same network address within 90 days.",
            count,
        )
        yield Signal(WARN, "same_address", text % {"count": count})
    else:
        yield Signal(OK, "own_address", _("Nobody else applied from this network address."))


def _text(application: Application, _around: Around) -> Iterator[Signal]:
    if len(application.how_promote.strip()) < SHORT_TEXT:
        yield Signal(WARN, "short_text", _("Says little about how they will promote."))


def _blocked(application: Application, around: Around) -> Iterator[Signal]:
    words = {
        BlockedKind.DOMAIN: _("The domain %(value)s is blocked: %(reason)s"),
        BlockedKind.EMAIL: _("The e-mail address is blocked: %(reason)s"),
        BlockedKind.COUNTRY: _("%(value)s is a blocked country: %(reason)s"),
    }
    for entry in around.blocked:
        if _meets(application, entry):
            text = words[BlockedKind(entry.kind)] % {"value": entry.value, "reason": entry.reason}
            yield Signal(WARN, f"blocked_{entry.kind}", text)


def _meets(application: Application, entry: Blocked) -> bool:
    if entry.program_id not in (None, application.program_id):
        return False
    if entry.kind == BlockedKind.EMAIL:
        return entry.value == application.email_folded
    if entry.kind == BlockedKind.COUNTRY:
        return entry.value.casefold() == application.country.strip().casefold()
    host = application.email.rpartition("@")[2].lower()
    own = {host, domain_of(application.email)}
    own.add(domain_of(application.website) if application.website else "")
    return entry.value in own


def _references(application: Application, around: Around) -> Iterator[Signal]:
    given = around.references.get(application.pk, [])
    for reference in given:
        name = {"name": reference.full_name}
        if reference.answer == ReferenceAnswer.CONFIRMED:
            yield Signal(OK, "reference_confirmed", _("%(name)s confirms to know the applicant.") % name)
        elif reference.answer == ReferenceAnswer.DENIED:
            yield Signal(WARN, "reference_denied", _("%(name)s does not confirm.") % name)
    asked = [each for each in given if each.asked_at is not None]
    if asked and not any(each.answer for each in given):
        yield Signal(WARN, "references_silent", _("No reference that was asked has answered yet."))


def _prospects(application: Application, around: Around) -> Iterator[Signal]:
    for prospect in around.prospects.get(application.email_folded, [])[:MOST]:
        if prospect.competes_with:
            text = _("Noted about this prospect: competes or overlaps with %(whom)s.")
            yield Signal(WARN, "competitor", text % {"whom": prospect.competes_with})


def _introduced(application: Application, around: Around) -> Iterator[Signal]:
    introducer = around.introducers.get(application.introducer_id or 0)
    if introducer is not None:
        text = _("Introduced by %(partner)s.") % {"partner": introducer.partner.name}
        yield Signal(OK, "introduced", text)


def _flagged(application: Application, _around: Around) -> Iterator[Signal]:
    rule = application.rule
    if rule is not None and rule.decision == RuleDecision.FLAG:
        text = _("The rule “%(rule)s” asks for a second look.") % {"rule": rule.name}
        yield Signal(WARN, "flagged", text)


_CHECKS: tuple[Callable[[Application, Around], Iterator[Signal]], ...] = (
    _blocked,
    _flagged,
    _confirmed,
    _mailbox,
    _same_mailbox,
    _partners_alike,
    _applications_alike,
    _ended_by_us,
    _references,
    _prospects,
    _same_address,
    _text,
    _introduced,
)
