"""What the page of a partner says about money: each membership's stages, and the ways to its lines, statements and accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from partners.models import Partner
from payouts import overview
from payouts.models import Commission, PaymentMethod, Statement
from prm.accounts import policy
from prm.accounts.back_office import Panel, add_panels, list_url
from prm.accounts.models import User
from prm.lib.money import Money

STAGE_NAMES = {
    "review": _("In review"),
    "hold": _("On hold"),
    "ready": _("Ready to pay"),
    "sent": _("On its way"),
    "paid": _("Paid"),
}
STATEMENTS_SHOWN = 6


def partner_panels(partner: Partner, by: User, at: datetime) -> list[Panel]:
    """Return the money of a partner, as far as `by` may see it."""
    panels = []
    if policy.may(by, "see_commissions"):
        panels.append(_commissions(partner))
    if policy.may(by, "see_statements"):
        panels.append(_statements(partner))
    if policy.may(by, "see_payment_methods"):
        panels.append(_methods(partner, by, at))
    return panels


def _commissions(partner: Partner) -> Panel:
    stage_of = {state: stage for stage, states in overview.STAGES.items() for state in states}
    rows: dict[tuple[str, str], dict[str, int]] = {}
    found = Commission.objects.filter(membership__partner=partner).order_by()
    for group in found.values("membership__program__name", "currency", "state").annotate(
        minor=Sum("amount_minor")
    ):
        stages = rows.setdefault((group["membership__program__name"], group["currency"]), {})
        stage = stage_of[group["state"]]
        stages[stage] = stages.get(stage, 0) + group["minor"]
    table: list[dict[str, Any]] = [
        {
            "program": program,
            "cells": [
                (
                    Money(stages.get(stage, 0), currency),
                    list_url(
                        Commission, membership__partner__id__exact=partner.pk, stage=stage, currency=currency
                    ),
                )
                for stage in STAGE_NAMES
            ],
        }
        for (program, currency), stages in sorted(rows.items())
    ]
    url = list_url(Commission, membership__partner__id__exact=partner.pk)
    context = {"heads": list(STAGE_NAMES.values()), "rows": table, "url": url}
    return Panel(_("Commissions"), "admin/partners/partner/commissions.html", context)


def _statements(partner: Partner) -> Panel:
    found = (
        Statement.objects.filter(membership__partner=partner)
        .select_related("period", "membership__program")
        .latest_first()[:STATEMENTS_SHOWN]
    )
    url = list_url(Statement, membership__partner__id__exact=partner.pk)
    return Panel(_("Statements"), "admin/partners/partner/statements.html", {"statements": found, "url": url})


def _methods(partner: Partner, by: User, at: datetime) -> Panel:
    methods = (
        PaymentMethod.objects.current().filter(partner=partner).defer("iban", "details").order_by("currency")
    )
    entered = {method.currency for method in methods}
    programs = partner.memberships.order_by("program__currency").values_list("program__currency", flat=True)
    context = {
        "methods": [(method, method.is_usable(at=at)) for method in methods],
        "missing": [code for code in programs.distinct() if code not in entered],
        "partner_pk": partner.pk,
        "may_enter": policy.may(by, "confirm_payment_methods"),
    }
    return Panel(_("Payment methods"), "admin/partners/partner/methods.html", context)


add_panels("partner", partner_panels)
