"""Read how far memberships are with saying where they are paid and with their taxes, for the checklist of newcomers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from partners.checklists import Progress
from partners.models import Membership
from payouts.models import PaymentMethod, TaxProfile
from payouts.tax import asked_again, forms
from prm.lib.periods import local_day


def bank(memberships: Sequence[Membership], _at: datetime) -> Mapping[int, Progress]:
    """Return who has a payment method in the currency of the program; one query."""
    rows = PaymentMethod.objects.current().filter(partner__in={each.partner_id for each in memberships})
    added = {(row[0], row[1]): row[2] for row in rows.values_list("partner_id", "currency", "added_at")}
    found = {}
    for each in memberships:
        when = added.get((each.partner_id, each.program.currency))
        found[each.pk] = Progress(
            when is not None, when, _("So that what you earn can leave on the first possible day.")
        )
    return found


def tax(memberships: Sequence[Membership], at: datetime) -> Mapping[int, Progress]:
    """Return whose tax details hold, with the form they need; up to five queries."""
    partners = {each.partner_id for each in memberships}
    rows = TaxProfile.objects.in_force(at=at).filter(partner__in=partners)
    since = dict(rows.values_list("partner_id", "set_at"))
    again = asked_again.asked_again(since, at=at) if since else set()
    found = {}
    days = {local_day(at, each.program.zone) for each in memberships}
    bare = forms.uncovered(since, on=max(days)) if since else set()
    for each in memberships:
        when = since.get(each.partner_id)
        if when is None:
            found[each.pk] = Progress(False, words=_("They decide whether VAT is added to your commission."))
        elif each.partner_id in bare:
            found[each.pk] = Progress(False, words=_("A signed tax form is missing."))
        elif each.partner_id in again:
            found[each.pk] = Progress(False, words=_("Name or country changed: please confirm them."))
        else:
            found[each.pk] = Progress(True, when)
    return found
