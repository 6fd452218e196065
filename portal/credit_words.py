"""Who gets the credit, in words for strangers and for partners: by the rules in force at a moment, with what is announced to change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from portal.formats import active_locale
from prm.lib import l10n
from prm.lib.periods import local_day, start_of_day
from referrals import attribution_notices, attribution_versions
from referrals.attribution.settings import Settings
from referrals.attribution_sentences import sentences, window_text
from referrals.models import AttributionVersion
from tiers.models import Program


@dataclass(frozen=True)
class Coming:
    """A change that is published: from when on, what is new then and what no longer holds."""

    day: str
    new: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True)
class CreditRules:
    """How credit is given now, and what will change."""

    sentences: tuple[str, ...]
    coming: tuple[Coming, ...]


def credit_rules(program: Program, *, at: datetime) -> CreditRules:
    """Return how a program gives credit at `at`, in the language in force."""
    settings = attribution_versions.settings_at(program, at=at)
    said = sentences(settings, currency=program.currency, locale=active_locale())
    changes = (_coming(program, each) for each in attribution_versions.coming(program, at=at))
    return CreditRules(tuple(said), tuple(each for each in changes if each.new or each.gone))


def credit_answer(program: Program, *, at: datetime) -> str:
    """Return it as one paragraph, with what changes and from when on."""
    rules = credit_rules(program, at=at)
    changes = [
        _("From %(day)s on: %(sentences)s") % {"day": each.day, "sentences": " ".join(each.new)}
        for each in rules.coming
        if each.new
    ]
    return " ".join([*rules.sentences, *changes])


def earned_when(settings: Settings) -> str:
    """Return the end of the sentence that says what a sale earns: when it is credited to a partner with a link and a code."""
    days = window_text(settings.window("click"), active_locale())
    if {"click", "code"} <= settings.kinds:
        text = _("when the customer comes through your link and buys within %(days)s, or uses your code.")
    elif "click" in settings.kinds:
        text = _("when the customer comes through your link and buys within %(days)s.")
    elif "code" in settings.kinds:
        text = _("when the customer uses your code.")
    else:
        text = _("when the order is credited to you.")
    return text % {"days": days}


def _coming(program: Program, version: AttributionVersion) -> Coming:
    version.program = program
    gone, new = attribution_notices.changed(version, locale=active_locale())
    begins, zone = version.effective_at, program.zone
    day = ""
    if begins is not None:
        is_midnight = begins == start_of_day(local_day(begins, zone), zone)
        day = (
            l10n.date_text(local_day(begins, zone), active_locale(), "long")
            if is_midnight
            else l10n.datetime_text(begins, zone, active_locale(), "long")
        )
    return Coming(day, tuple(new), tuple(gone))
