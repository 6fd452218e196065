"""The line that brings a total to what it should be, with its cause. It names the two figures, so that anybody can check the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from partners.models import Membership
from payouts.accrual.fold import Draft
from payouts.accrual.happenings import Happening
from payouts.accrual.terms import Terms
from payouts.reserves import facts_of
from prm.lib.ids import public_id
from prm.lib.money import Money
from prm.lib.periods import hold_until
from tiers.engine.explain import because_besides, counts_of, restore
from tiers.engine.facts import Part


class Cause(NamedTuple):
    """Why a total is corrected, from what to what. `happening` is the event the line hangs on, `order` the one that did it."""

    happening: Happening
    code: str
    order: str
    owed: int
    booked: int
    volume: int
    version_id: int | str
    window: str
    customer: str


def correction(terms: Terms, member: Membership, rule_key: str, cause: Cause, *, number: int) -> Draft:
    """Return the line that changes a total from what is booked to what is owed; it waits as its event's own line would."""
    happening, program = cause.happening, member.program
    seller = terms.members.get(happening.membership_id, member)
    reserve = terms.longer_hold(member, seller, happening.products, happening.occurred_at)
    days = program.hold_days if reserve is None else reserve.hold_days
    line = restore(_because(terms, member, rule_key, cause))
    return Draft(
        member=member,
        happening=happening,
        line=line,
        payable_at=hold_until(happening.occurred_at, days, program.zone),
        name=public_id("com"),
        of_credit=happening.pk,
        suffix=f":c{number}",
        hold=facts_of(reserve, program),
    )


def _because(terms: Terms, member: Membership, rule_key: str, cause: Cause) -> dict[str, Any]:
    happening = cause.happening
    amount = cause.owed - cause.booked
    standing = terms.standing(member, happening.occurred_at)
    because = because_besides(
        order=happening.key,
        kind=happening.kind,
        occurred_at=happening.occurred_at,
        reference=_reference(terms, member, rule_key, cause.version_id),
        tier=standing.tier,
        amount=Money(amount, happening.currency),
        exact=str(amount),
        part=Part("true_up", amount, {"owed_minor": cause.owed, "booked_minor": cause.booked}),
        what="true_up",
        counts=counts_of(cause.window, cause.customer, cause.volume),
    )
    because["cause"] = {"code": cause.code, "order": cause.order}
    return because


def _reference(terms: Terms, member: Membership, rule_key: str, version_id: int | str) -> Mapping[str, Any]:
    rater = terms.version(member.program_id, version_id)
    if rater is None or rule_key not in rater.terms.references:
        raise LookupError(f"Version {version_id} has no rule {rule_key}.")
    return rater.terms.references[rule_key]
