"""What the page of a partner says about money that is kept back or moved by people, with the ways to do either."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.models import Membership, Partner
from payouts.adjustment_checks import balance_of
from payouts.admin.adjustments import propose_url
from payouts.models import Adjustment, Pause, Reserve
from prm.accounts import policy
from prm.accounts.back_office import Panel, add_panels, list_url
from prm.accounts.models import User

ADJUSTMENTS_SHOWN = 6


def partner_panels(partner: Partner, by: User, at: datetime) -> list[Panel]:
    """Return what is held and adjusted, as far as `by` may see it."""
    if not policy.may(by, "see_commissions"):
        return []
    members = list(partner.memberships.select_related("program").order_by("pk"))
    pauses = Pause.objects.open().filter(membership__in=members).select_related("commission__conversion")
    sees_money = policy.may(by, "see_ledger")
    adjusted = Adjustment.objects.visible_to(by).filter(membership__in=members) if sees_money else None
    context = {
        "rows": [_row(member, by, sees_money=sees_money) for member in members],
        "sees_money": sees_money,
        "pauses": list(pauses.order_by("review_on", "pk")),
        "reserves": list(Reserve.objects.in_force(at=at).filter(membership__in=members).order_by("pk"))
        if sees_money
        else [],
        "adjustments": list(adjusted.order_by("-proposed_at", "-pk")[:ADJUSTMENTS_SHOWN])
        if adjusted is not None
        else [],
        "all_url": list_url(Adjustment, q=partner.name),
    }
    return [Panel(_("Holds and adjustments"), "admin/payouts/adjustment/panel.html", context)]


def _row(member: Membership, by: User, *, sees_money: bool) -> dict[str, Any]:
    """Return a membership with its balance and what `by` can do about it."""
    links = []
    if policy.may(by, "adjust_balances"):
        links.append((_("Propose an adjustment"), propose_url(member)))
        links.append((_("Hold longer"), reverse("admin:payouts_reserve_set_for", args=[member.pk])))
    if policy.may(by, "pause_payments"):
        links.append((_("Pause payments"), reverse("admin:payouts_pause_payments", args=[member.pk])))
    return {
        "program": member.program.name,
        "balance": balance_of(member) if sees_money else None,
        "links": links,
    }


add_panels("partner", partner_panels)
