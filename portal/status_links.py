"""Say in one word whether a link or a code works, and if not why."""

from __future__ import annotations

from datetime import datetime, tzinfo

from django.utils.translation import gettext as _

from portal.formats import date_text
from portal.status_words import NEUTRAL, OK, WARN, StatusWord
from prm.lib.periods import local_day
from referrals.code_files import CodeState, state_of
from referrals.listed_rows import day_before_end
from referrals.models import Code, Link

_CODE_LOOKS = {
    CodeState.ON: ("tick", OK),
    CodeState.WAITING: ("clock", WARN),
    CodeState.OVER: ("cross", NEUTRAL),
    CodeState.USED_UP: ("cross", WARN),
    CodeState.OFF: ("pause", NEUTRAL),
    CodeState.RETIRED: ("cross", NEUTRAL),
}


def link_word(link: Link, *, at: datetime) -> StatusWord:
    """Return how a link stands."""
    if link.replacement_id is not None:
        return StatusWord(_("Replaced"), "arrow", NEUTRAL, _("Its visitors go to another link."))
    if not link.is_active:
        return StatusWord(_("Off"), "pause", NEUTRAL)
    if link.expires_at is not None and link.expires_at <= at:
        return StatusWord(_("Over"), "cross", NEUTRAL)
    return StatusWord(_("On"), "tick", OK)


def link_works(link: Link, *, at: datetime) -> bool:
    """Say whether a link leads somewhere by itself."""
    return (
        link.is_active and link.replacement_id is None and (link.expires_at is None or link.expires_at > at)
    )


def code_word(code: Code, *, at: datetime) -> StatusWord:
    """Return how a code stands."""
    state = state_of(code, at=at)
    icon, tone = _CODE_LOOKS[state]
    return StatusWord(str(state.label), icon, tone)


def validity_text(code: Code, zone: tzinfo) -> str:
    """Return from when until when a code works; nothing when it always does."""
    starts_on = local_day(code.starts_at, zone) if code.starts_at else None
    ends_on = day_before_end(code.ends_at, zone)
    if starts_on and ends_on:
        return _("%(first)s to %(last)s") % {"first": date_text(starts_on), "last": date_text(ends_on)}
    if starts_on:
        return _("from %(first)s") % {"first": date_text(starts_on)}
    return _("until %(last)s") % {"last": date_text(ends_on)} if ends_on else ""


def until_text(link: Link, zone: tzinfo) -> str:
    """Return the last day a link works, nothing when it has no end."""
    last_on = day_before_end(link.expires_at, zone)
    return date_text(last_on) if last_on else ""
