"""What the page before publishing terms shows: who is asked, by when, what happens otherwise, what differs, and the mail as it will be read."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners import mails_terms, terms, terms_asking
from partners.choices import Consequence
from partners.models import Membership, TermsVersion
from partners.readers import OWNERS, readers_of
from partners.terms.acceptance import due
from prm.accounts.back_office import locale
from prm.lib import l10n
from prm.lib.periods import local_day, start_of_day
from prm.mail import outbox
from tiers import sentences, trial
from tiers.audience import for_strangers
from tiers.models import Program


def proposed_day(version: TermsVersion, *, at: datetime) -> date | None:
    """Return the first day the version can be in force; None for at once."""
    newest = terms.published_for(version.program, version.tier_id).first()
    if newest is None and version.tier_id is None:
        return None
    zone = version.program.zone
    first = local_day(at, zone)
    if version.asks_members and terms_asking.members_to_ask(version, at=at).exists():
        first += timedelta(days=version.notice_days)
    if newest is not None and newest.effective_at is not None:
        first = max(first, local_day(newest.effective_at, zone))
    return first


def moment_of(version: TermsVersion, day: date | None, *, at: datetime) -> datetime:
    """Return the instant a version begins on `day`; today and no day mean now."""
    zone = version.program.zone
    return at if day is None or day == local_day(at, zone) else start_of_day(day, zone)


def preview_of(version: TermsVersion, *, effective_at: datetime, at: datetime) -> dict[str, Any]:
    """Return what the page shows about publishing `version` from `effective_at` on."""
    newest = terms.published_for(version.program, version.tier_id).first()
    asks = version.asks_members or newest is None
    members = terms_asking.members_to_ask(version, at=at)
    count = members.count() if asks else 0
    version.effective_at = effective_at  # for the mail only: nothing is saved here
    difference = terms.compare(newest or version, version)
    mail = None
    first = next((each for each in members if readers_of(each.partner, OWNERS)), None) if count else None
    if first is not None:
        changed = [each.key for each in difference.changed]
        mail = _mail(version, first, changed, at=at)
    return {
        "newest": newest,
        "difference": difference,
        "mail": mail,
        "consequences": _consequences(version, count, effective_at=effective_at, asks=asks),
    }


def pricing_of(program: Program, *, at: datetime) -> str:
    """Return what the plan in force says, as strangers may read it; nothing without one."""
    plan = trial.facts_in_force(program, at=at)
    if plan is None:
        return ""
    names = dict(program.tiers.values_list("key", "name"))
    return sentences.plan_sentence(
        for_strangers(plan), currency=program.currency, locale=locale(), names=names
    )


def _consequences(version: TermsVersion, count: int, *, effective_at: datetime, asks: bool) -> list[str]:
    zone = version.program.zone
    day = l10n.date_text(local_day(effective_at, zone), locale(), "long")
    told = [_("Whoever applies from %(day)s on accepts this version.") % {"day": day}]
    if version.tier is not None:
        who = {"tier": version.tier.name, "day": day}
        told = [
            _(
                "It holds in the %(tier)s tier only. Whoever comes to it from %(day)s on is asked to accept it."
            )
            % who
        ]
    if not asks:
        told.append(_("Members are not asked: they keep what they accepted."))
    elif not count and version.tier is not None:
        told.append(_("Nobody stands in %(tier)s yet: nobody is asked.") % {"tier": version.tier.name})
    elif not count:
        told.append(_("Nobody is a member yet: nobody is asked."))
    else:
        text = ngettext(
            "%(count)s member is asked to accept it, by e-mail and in the portal.",
            "%(count)s members are asked to accept it, by e-mail and in the portal.",
            count,
        )
        told.append(text % {"count": count})
        until = effective_at + timedelta(days=version.accept_within_days)
        last = l10n.date_text(local_day(until, zone), locale(), "long")
        if version.consequence == Consequence.PAYMENTS_WAIT:
            otherwise = _("Where nobody has accepted by %(day)s, payments wait until somebody does.")
        else:
            otherwise = _(
                "Where nobody has accepted by %(day)s, the membership is suspended until somebody does."
            )
        told.append(otherwise % {"day": last})
        told.append(_("They are reminded seven days before. An open question of theirs stops the clock."))
    told.append(_("A published version can never be edited. A new text is a new version."))
    return told


def _mail(
    version: TermsVersion, membership: Membership, changed: list[str], *, at: datetime
) -> dict[str, str]:
    reader = readers_of(membership.partner, OWNERS)[0]
    deadline = due(version, membership, told_at=at, questions=[])
    values = mails_terms.asking(version, membership, reader, changed=changed, deadline=deadline)
    subject, text, _html = outbox.render("terms_to_accept", context=values, language=reader.language)
    return {"subject": subject, "text": text, "partner": membership.partner.name}
