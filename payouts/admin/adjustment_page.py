"""What the pages of an adjustment say: its facts, and in numbers what booking it does to the balance, the month and the partner's mailbox."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from partners.models import Membership
from partners.readers import readers_of
from payouts import adjustments
from payouts.adjustment_checks import balance_of
from payouts.choices import AdjustmentKind, AdjustmentReason, AdjustmentState, PeriodState
from payouts.models import Adjustment, Period
from prm.accounts.back_office import Fact, badge, link_to, locale, money_text
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month


def proposing(membership: Membership, kind: str, amount: Money, *, by: User, at: datetime) -> list[str]:
    """Return what happens when this is put forward by `by`."""
    if adjustments.needs_second_person(membership, kind, amount, by=by):
        limit = Money(membership.program.second_person_above_minor, amount.currency)
        why = (
            _("Writing off a debt always needs a second person.")
            if kind == AdjustmentKind.WRITE_OFF
            else _("Every adjustment needs a second person.")
            if not limit
            else _("Amounts above %(limit)s need a second person.") % {"limit": money_text(limit)}
        )
        return [
            why,
            _("Nothing is booked until somebody else approves it. Then:"),
            *booking(membership, kind, amount, at=at),
        ]
    return [_("It is booked at once."), *booking(membership, kind, amount, at=at)]


def booking(membership: Membership, kind: str, amount: Money, *, at: datetime) -> list[str]:
    """Return what booking an amount does."""
    before = balance_of(membership)
    mailboxes = [reader.email for reader in readers_of(membership.partner)]
    numbers = {
        "partner": membership.partner.name,
        "before": money_text(before),
        "after": money_text(before + amount),
        "month": l10n.month_text(month_for(membership, at), locale()),
        "account": account_text(kind),
        "kind": AdjustmentKind(kind).label,
        "amount": money_text(abs(amount)),
        "mailboxes": l10n.list_text(mailboxes, locale()) if mailboxes else "",
    }
    said = [
        _("The balance of %(partner)s that is ready to pay goes from %(before)s to %(after)s.") % numbers,
        _("It posts into %(month)s, against the account “%(account)s”.") % numbers,
    ]
    if mailboxes:
        return [
            *said,
            _("“%(kind)s: %(amount)s” goes to %(mailboxes)s, with the reason and your words.") % numbers,
        ]
    return [*said, _("Nobody is written to: this partner has no address.")]


def month_for(membership: Membership, at: datetime) -> Month:
    """Return the month that takes what is booked at `at`; nothing is opened by asking."""
    program = membership.program
    month = Month.of(at, program.zone)
    shut = Period.objects.filter(program=program).exclude(state=PeriodState.OPEN)
    last = shut.order_by("-year", "-month").first()
    return last.as_month.next() if last is not None and month <= last.as_month else month


def account_text(kind: str) -> str:
    """Return the name of the program's account an adjustment is booked against."""
    return str(adjustments.other_account(AdjustmentKind(kind)).label)


def facts_of(found: Adjustment) -> list[Fact]:
    """Return the facts of an adjustment."""
    facts = [
        Fact(_("Partner"), link_to(found.membership.partner)),
        Fact(_("Program"), found.membership.program.name),
        Fact(_("Reason"), AdjustmentReason(found.reason).label),
        Fact(_("What the partner reads"), found.note),
    ]
    if found.internal_note:
        facts.append(Fact(_("For your colleagues"), found.internal_note))
    if found.commission is not None:
        facts.append(Fact(_("About the line"), link_to(found.commission)))
    facts.append(Fact(_("Part of the self-billed invoice"), _("Yes") if found.is_taxable else _("No")))
    facts.append(Fact(_("Evidence"), _evidence(found), found.evidence_sha256))
    if found.posted_in is not None:
        month = l10n.month_text(found.posted_in.period.as_month, locale())
        facts.append(Fact(_("Booked in"), month, found.posted_in.key))
    return facts


def steps_of(found: Adjustment) -> list[dict[str, object]]:
    """Return who did what when, and what is still to come."""
    steps: list[dict[str, object]] = [
        {"at": _at(found.proposed_at), "what": _by(_("Proposed"), found.proposed_by), "done": True}
    ]
    words = {
        AdjustmentState.POSTED: _("Approved"),
        AdjustmentState.REFUSED: _("Refused"),
        AdjustmentState.WITHDRAWN: _("Withdrawn"),
    }
    if found.decided_at is not None and found.decided_by is not None:
        state = AdjustmentState(found.state)
        what = _by(words[state], found.decided_by)
        if found.decision_note:
            what = _("%(what)s: %(note)s") % {"what": what, "note": found.decision_note}
        problem = state == AdjustmentState.REFUSED
        steps.append({"at": _at(found.decided_at), "what": what, "done": True, "problem": problem})
    elif found.state == AdjustmentState.PROPOSED:
        steps.append({"at": "", "what": _("Somebody else approves or refuses it"), "done": False})
    if found.posted_in is not None:
        steps.append(
            {"at": _at(found.posted_in.posted_at), "what": _("Booked, and told to the partner"), "done": True}
        )
    return steps


def state_badge(state: str) -> str:
    """Return the badge of an adjustment's state."""
    return badge(state, "adjustment")


def _evidence(found: Adjustment) -> str:
    if not found.evidence:
        return _("None")
    url = reverse("admin:payouts_adjustment_evidence", args=[found.pk])
    return format_html('<a href="{}">{}</a>', url, found.evidence_name)


def _by(what: str, who: User) -> str:
    return _("%(what)s by %(person)s") % {"what": what, "person": who.get_full_name() or who.email}


def _at(instant: datetime) -> str:
    return l10n.datetime_text(instant, timezone.get_current_timezone(), locale())
