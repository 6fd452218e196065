"""Say what was found about an order: what became of it, and each contact of the partner's own with the reason. Another partner is a kind of
contact and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.models import Membership
from portal.formats import active_locale, date_text
from prm.lib import l10n
from prm.lib.periods import local_day
from referrals.attribution import inquiry, words
from referrals.attribution.inquiry import Contact, Inquiry, Story
from referrals.attribution.why import EARNS
from referrals.choices import ClickKind
from tiers.choices import EventKind


@dataclass(frozen=True)
class ContactRow:
    """One contact in the timeline."""

    what: str
    name: str
    moment: str
    before: str
    label: str
    sentence: str
    counts: bool


@dataclass(frozen=True)
class StoryRow:
    """One order."""

    conversion: str
    title: str
    moment: str
    outcome: str
    is_mine: bool
    notes: tuple[str, ...]
    contacts: tuple[ContactRow, ...]


@dataclass(frozen=True)
class Found:
    """The whole answer."""

    asked: str
    nothing: str
    stories: tuple[StoryRow, ...]
    loose: tuple[tuple[str, str], ...]
    uncounted: tuple[str, ...]


def found_rows(found: Inquiry, membership: Membership) -> Found:
    """Return an inquiry as a page says it."""
    zone = membership.program.zone
    return Found(
        asked=_asked(found),
        nothing=_nothing(found) if not found.stories else "",
        stories=tuple(story_row(story, zone) for story in found.stories),
        loose=tuple(
            (_clock(click.at, zone), f"{click.link} ({click.sub_id})" if click.sub_id else click.link)
            for click in found.loose
        ),
        uncounted=tuple(
            f"{ClickKind(kind).label}: {l10n.number_text(count, active_locale())}"
            for kind, count in found.uncounted.items()
        ),
    )


def story_row(story: Story, zone: tzinfo) -> StoryRow:
    """Return one order as a page says it."""
    return StoryRow(
        conversion=story.conversion,
        title=f"{_kind(story.kind)} {story.order}",
        moment=_clock(story.occurred_at, zone),
        outcome=outcome_text(story),
        is_mine=story.outcome in (inquiry.CREDITED, inquiry.HELPED),
        notes=tuple(_notes(story, zone)),
        contacts=tuple(_contact(each, story, zone) for each in story.contacts),
    )


def outcome_text(story: Story) -> str:
    """Return whose an order became."""
    if story.outcome == inquiry.CREDITED:
        if story.share and story.share != "1.000000":
            return _("You are credited %(share)s of it.") % {"share": words.percent(story.share)}
        return _("You are credited for it.")
    if story.outcome == inquiry.HELPED:
        return _("You helped: the amount is credited to somebody else.")
    if story.outcome == inquiry.OTHERS:
        kinds = {
            "deal": _("It is credited to another partner, for a registered deal."),
            "code": _("It is credited to another partner, whose code was on the order."),
            "click": _("It is credited to another partner, for a click."),
            "lead": _("It is credited to another partner, who brought the lead."),
            "intro": _("It is credited to another partner, for an introduction."),
            "view": _("It is credited to another partner, for a view."),
            "customer": _("It is credited to another partner, who brought the customer before."),
            "person": _("A person at the operator decided who is credited: another partner."),
        }
        if len(story.decided_by) == 1:
            return kinds.get(story.decided_by[0], _("It is credited to another partner."))
        return _("It is credited to other partners.")
    if story.outcome == inquiry.NOT_RECORDED:
        return _("It was recorded before decisions were kept, so only its credit is known.")
    return _("Nobody is credited for it.")


def _notes(story: Story, zone: tzinfo) -> list[str]:
    found = []
    if story.refunds:
        found.append(_("It follows the order it takes back: %(order)s.") % {"order": story.refunds})
    if story.corrected_at is not None:
        day = date_text(local_day(story.corrected_at, zone))
        found.append(_("A person changed who is credited on %(date)s.") % {"date": day})
    if story.is_refunded:
        found.append(_("Money went back to the buyer since."))
    if story.version is not None:
        found.append(_("Judged by version %(number)s of the rules.") % {"number": story.version})
    return found


def _contact(contact: Contact, story: Story, zone: tzinfo) -> ContactRow:
    entry = contact.entry
    name = f"{contact.name} ({contact.sub_id})" if contact.sub_id else contact.name
    at = datetime.fromisoformat(entry["at"])
    return ContactRow(
        what=words.kind_label(entry["kind"]),
        name=name,
        moment=words.moment(entry["at"], zone),
        before=_before(story.occurred_at - at) if entry["kind"] not in ("code", "person") else "",
        label=words.label(entry["why"]),
        sentence=words.sentence(entry, zone),
        counts=entry["why"] in EARNS,
    )


def _before(wait: timedelta) -> str:
    """Return how long before an order a contact was, in days and hours, below an hour in minutes."""
    if wait < timedelta(0):
        return ""
    minutes = wait // timedelta(minutes=1)
    if minutes < 60:
        text = ngettext("%(count)s minute before", "%(count)s minutes before", minutes)
        return text % {"count": minutes}
    days, hours = wait.days, wait // timedelta(hours=1) % 24
    if not days:
        return ngettext("%(count)s hour before", "%(count)s hours before", hours) % {"count": hours}
    return _("%(days)s and %(hours)s before") % {
        "days": ngettext("%(count)s day", "%(count)s days", days) % {"count": days},
        "hours": ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours},
    }


def _asked(found: Inquiry) -> str:
    if found.how == inquiry.ORDER:
        return _("Order %(order)s") % {"order": found.asked}
    if found.how == inquiry.DAY:
        return date_text(date.fromisoformat(found.asked))
    return _("The customer with this address")


def _nothing(found: Inquiry) -> str:
    if found.how == inquiry.ORDER and found.is_known:
        return _("We know this order. None of your links, codes, leads or deals was on its way.")
    if found.how == inquiry.ORDER:
        return _(
            "No order with this number has been told to us. A shop may use another number than its buyer sees."
        )
    if found.how == inquiry.DAY:
        return _("No order of this day had a link, code, lead or deal of yours on its way.")
    return _("Nothing of yours leads to a customer with this address.")


def _kind(kind: str) -> str:
    return str(EventKind(kind).label) if kind in EventKind.values else kind


def _clock(at: datetime, zone: tzinfo) -> str:
    return l10n.datetime_text(at, zone, active_locale())
