"""What a signal means in words: to the partner as the reason its lines wait, without figures that teach how to stay below them, and to staff as
the evidence. Another partner is never named to a partner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payouts.choices import RiskKind, RiskSeverity
from payouts.models import RiskSignal
from payouts.risk.thresholds import FIGURES

REASONS = {
    RiskKind.SELF_REFERRAL.value: gettext_lazy("Some orders look as if you or your team had placed them."),
    RiskKind.CLICK_FLOOD.value: gettext_lazy(
        "Very many clicks on your links came from one place in one hour."
    ),
    RiskKind.VELOCITY.value: gettext_lazy("More purchases came by your links than their clicks explain."),
    RiskKind.TOO_SOON.value: gettext_lazy("Several purchases followed the click within seconds."),
    RiskKind.BOT_SHARE.value: gettext_lazy(
        "Most of the visits by your links look as if no person had made them."
    ),
    RiskKind.SHARED_ACCOUNT.value: gettext_lazy("Your bank account is also used by another partner."),
    RiskKind.SHARED_DEVICE.value: gettext_lazy("Your account and another one were used from one device."),
    RiskKind.LEAKED_CODE.value: gettext_lazy(
        "One of your codes is suddenly used by buyers who came by no link."
    ),
    RiskKind.PAID_SEARCH.value: gettext_lazy(
        "Clicks on your links came from paid search, which this program forbids."
    ),
    RiskKind.DISPOSABLE_MAIL.value: gettext_lazy(
        "Many of your customers use e-mail addresses that soon disappear."
    ),
    RiskKind.COUNTRY_MISMATCH.value: gettext_lazy(
        "Many buyers live in another country than they clicked in."
    ),
    RiskKind.REFUND_RATE.value: gettext_lazy("Far more of your sales come back than those of others."),
    RiskKind.PIXEL.value: gettext_lazy(
        "Some purchases were told by the buyer's browser only and have to be checked."
    ),
    RiskKind.CODE_OVERUSED.value: gettext_lazy("One of your codes was tried more often than it may be used."),
}
MARKS = {
    "email": gettext_lazy("same e-mail address"),
    "mailbox": gettext_lazy("same mailbox, written differently"),
    "domain": gettext_lazy("same company mail domain"),
    "vat": gettext_lazy("same VAT number"),
    "payment_confirmed": gettext_lazy("means of payment of a confirmed self-referral"),
    "payment_shared": gettext_lazy("means of payment shared by several customers"),
    "address": gettext_lazy("same address as a sign-in of the team"),
}
_RANK = {RiskSeverity.LOW.value: 0, RiskSeverity.MEDIUM.value: 1, RiskSeverity.HIGH.value: 2}


def rank(severity: str) -> int:
    """Return the order of a severity, the worst highest."""
    return _RANK[severity]


def reason_of(kinds: Iterable[tuple[str, str]]) -> str:
    """Return why lines wait, for the most severe of the kinds (with their severities), in the language in force."""
    kind = max(kinds, key=lambda each: _RANK[each[1]])[0]
    return str(REASONS[kind])


def evidence_of(signal: RiskSignal) -> str:
    """Return what was seen, as a sentence for staff."""
    return _SENTENCES[signal.kind](_Kept(signal.evidence))


class _Kept(dict[str, Any]):
    """Evidence in which a figure that another version of the rule did not keep is a dash rather than an error."""

    def __missing__(self, key: str) -> str:
        return "–"


def thresholds_of(signal: RiskSignal) -> list[tuple[str, int]]:
    """Return the figures in force when it was raised, with their names."""
    kept = signal.evidence.get("thresholds", {})
    return [(str(figure.label), kept[figure.name]) for figure in FIGURES[signal.kind] if figure.name in kept]


Evidence = Mapping[str, Any]


def _self_referral(kept: Evidence) -> str:
    marks = ", ".join(str(MARKS[mark]) for mark in kept.get("marks", []) if mark in MARKS)
    return _("Buyer and partner: %(marks)s.") % {"marks": marks}


def _click_flood(kept: Evidence) -> str:
    hours = kept.get("count", 0)
    text = ngettext(
        "Up to %(clicks)s clicks from one address in an hour, in %(hours)s hour.",
        "Up to %(clicks)s clicks from one address in an hour, in %(hours)s hours.",
        hours,
    )
    return text % {"clicks": kept.get("clicks", 0), "hours": hours}


def _velocity(kept: Evidence) -> str:
    if "behind" in kept:
        return _("%(buyers)s buyers came by only %(behind)s clicks.") % kept
    return (
        _(
            "%(buyers)s buyers from %(clicks)s clicks; the program's others have %(others_buyers)s from %(others_clicks)s."
        )
        % kept
    )


def _too_soon(kept: Evidence) -> str:
    return _("%(count)s of %(of)s purchases by click came within seconds of it.") % kept


def _bot_share(kept: Evidence) -> str:
    return _("Of %(hits)s hits %(bots)s were robots and %(embedded)s images or frames.") % kept


def _shared_account(kept: Evidence) -> str:
    return _("Paid to one account with another partner; see the shared accounts.")


def _shared_device(kept: Evidence) -> str:
    devices = kept.get("devices", 0)
    text = ngettext(
        "%(devices)s device was used by this partner and by membership no. %(other_membership)s.",
        "%(devices)s devices were used by this partner and by membership no. %(other_membership)s.",
        devices,
    )
    return text % kept


def _leaked_code(kept: Evidence) -> str:
    return (
        _("%(now_without)s of %(now)s uses came without a click, before %(before_without)s of %(before)s.")
        % kept
    )


def _paid_search(kept: Evidence) -> str:
    return _("%(clicks)s clicks carry the mark of a paid search result.") % kept


def _disposable(kept: Evidence) -> str:
    return _("%(count)s of %(of)s customers use throw-away mailboxes.") % kept


def _country(kept: Evidence) -> str:
    return _("%(count)s of %(of)s buyers live in another country than they clicked in.") % kept


def _refunds(kept: Evidence) -> str:
    return _("%(back)s of %(sales)s sales came back; of others %(others_back)s of %(others_sales)s.") % kept


def _pixel(kept: Evidence) -> str:
    return _("%(count)s conversions were told by a pixel.") % kept


def _overused(kept: Evidence) -> str:
    return _("A code was tried %(count)s times after its last use.") % kept


_SENTENCES = {
    RiskKind.SELF_REFERRAL.value: _self_referral,
    RiskKind.CLICK_FLOOD.value: _click_flood,
    RiskKind.VELOCITY.value: _velocity,
    RiskKind.TOO_SOON.value: _too_soon,
    RiskKind.BOT_SHARE.value: _bot_share,
    RiskKind.SHARED_ACCOUNT.value: _shared_account,
    RiskKind.SHARED_DEVICE.value: _shared_device,
    RiskKind.LEAKED_CODE.value: _leaked_code,
    RiskKind.PAID_SEARCH.value: _paid_search,
    RiskKind.DISPOSABLE_MAIL.value: _disposable,
    RiskKind.COUNTRY_MISMATCH.value: _country,
    RiskKind.REFUND_RATE.value: _refunds,
    RiskKind.PIXEL.value: _pixel,
    RiskKind.CODE_OVERUSED.value: _overused,
}
