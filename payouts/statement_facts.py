"""What a statement freezes besides its lines: the parties, the bridge, the rates and what happens next. The hash over them and
the lines tells for ever whether a document says what was issued."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from partners.models import Membership, Placement
from payouts import chain, outlook
from payouts.choices import CommissionKind
from payouts.models import Commission, Period, Statement, StatementLine
from prm.lib.money import Money

if TYPE_CHECKING:
    from partners.models import Partner
    from tiers.models import LegalEntity

# Which term of a statement's bridge a kind of line belongs to, in the order the terms are printed.
TERM_OF: dict[CommissionKind, str] = {
    CommissionKind.EARNED: "commissions",
    CommissionKind.OVERRIDE: "overrides",
    CommissionKind.BONUS: "bonuses",
    CommissionKind.RETAINER: "guaranteed",
    CommissionKind.FLOOR: "guaranteed",
    CommissionKind.TRUE_UP: "true_ups",
    CommissionKind.REFUND: "reversals",
    CommissionKind.REVERSAL: "reversals",
    CommissionKind.DRAW: "advances",
    CommissionKind.RECOVERY: "advances",
}


@dataclass(frozen=True, slots=True)
class Bridge:
    """How one balance became the next; `reversed` is zero or negative, `withheld` and `paid` are negative for money that left."""

    opening: Money
    earned: Money
    reversed: Money
    adjusted: Money
    vat: Money
    withheld: Money
    paid: Money

    @property
    def closing(self) -> Money:
        """Return the balance all terms lead to."""
        return Money.total(self._terms(), self.opening.currency)

    @property
    def is_still(self) -> bool:
        """Nothing moved and nothing is owed."""
        return not any(self._terms())

    def negated(self) -> Bridge:
        """Return the bridge that takes this one back, as a credit note says it."""
        return Bridge(*(-term for term in self._terms()))

    def columns(self) -> dict[str, int]:
        """Return the amounts under the names of the statement's columns."""
        found = {f"{field.name}_minor": getattr(self, field.name).minor for field in fields(self)}
        return {**found, "closing_minor": self.closing.minor}

    @classmethod
    def of(cls, statement: Statement) -> Bridge:
        """Return the bridge a statement says."""
        return cls(
            *(Money(getattr(statement, f"{field.name}_minor"), statement.currency) for field in fields(cls))
        )

    def _terms(self) -> list[Money]:
        return [getattr(self, field.name) for field in fields(self)]


def collect(
    membership: Membership,
    period: Period,
    bridge: Bridge,
    lines: Sequence[Commission],
    others: Mapping[str, Mapping[str, int]],
    *,
    net: Money,
    tax: Mapping[str, Any] | None,
    at: datetime,
    due_on: date | None,
) -> dict[str, Any]:
    """Return the facts of a statement as they stand now, in values JSON keeps exactly."""
    program = membership.program
    return {
        "program": {"id": program.public_id, "name": program.name, "time_zone": program.time_zone},
        "tier": _tier_at(membership, period),
        "period": str(period.as_month),
        "currency": program.currency,
        "due_on": due_on.isoformat() if due_on else None,
        "bridge": bridge.columns(),
        "minimum_minor": program.minimum_payout_minor,
        "dispute_days": program.dispute_days,
        "terms": terms(lines),
        "others": others,
        "net_minor": net.minor,
        "rates": _rates(lines),
        "sealed": _sealed(membership),
        **fresh(membership, period, bridge.closing, tax=tax, at=at, due_on=due_on),
    }


def fresh(
    membership: Membership,
    period: Period,
    closing: Money,
    *,
    tax: Mapping[str, Any] | None,
    at: datetime,
    due_on: date | None,
) -> dict[str, Any]:
    """Return the facts that a correction freezes anew: who the parties are, the tax, and how it will be paid."""
    method = outlook.method_of(membership)
    return {
        "issuer": _entity(membership.program.legal_entity),
        "partner": _partner(membership.partner),
        "membership": membership.public_id,
        "issued_at": at.isoformat(),
        "account_ending": method.ending if method else None,
        "method": method.kind if method else None,
        "tax": tax,
        **outlook.of_payment(membership, period, closing, method, at=at, due_on=due_on),
    }


def _sealed(membership: Membership) -> dict[str, Any]:
    """Return the last link of the membership's chain: what was posted before the statement cannot go without its telling."""
    last = chain.tails([membership.pk])[membership.pk]
    return {"position": last.position, "sha256": last.sha256}


def _entity(entity: LegalEntity) -> dict[str, str]:
    return {
        "name": entity.name,
        "street": f"{entity.street} {entity.building_number}".strip(),
        "place": f"{entity.postcode} {entity.town}".strip(),
        "country": entity.country_code,
        "vat_number": entity.vat_number,
        "email": entity.contact_email,
    }


def _partner(partner: Partner) -> dict[str, str]:
    return {
        "name": partner.legal_name or partner.name,
        "street": f"{partner.street} {partner.building_number}".strip(),
        "place": f"{partner.postcode} {partner.town}".strip(),
        "country": partner.country,
        "vat_number": partner.vat_number,
        "email": partner.email,
    }


def _tier_at(membership: Membership, period: Period) -> str:
    last_instant = period.ends_at - datetime.resolution
    placed = Placement.objects.filter(membership=membership).in_force(at=last_instant)
    found = placed.select_related("tier").order_by("-starts_at", "-pk").first()
    return found.tier.name if found else ""


def terms(lines: Iterable[Commission]) -> dict[str, dict[str, int]]:
    """Add the lines up by what they are, in the order a statement prints them; all terms together are earned plus reversed."""
    found = {term: {"lines": 0, "amount_minor": 0} for term in TERM_OF.values()}
    for line in lines:
        term = found[TERM_OF[CommissionKind(line.kind)]]
        term["lines"] += 1
        term["amount_minor"] += line.amount_minor
    return found


def _rates(lines: Iterable[Commission]) -> list[dict[str, Any]]:
    """Add the lines up by rule, kind and rate, in the order they first appear."""
    found: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for line in lines:
        percent = format(line.rate.normalize(), "f")
        flat_minor = abs(line.flat_minor)
        key = (line.rule_key, line.kind, percent, flat_minor)
        row = found.setdefault(
            key,
            {
                "rule": line.rule_key,
                "name": _rule_name(line),
                "kind": line.kind,
                "percent": percent,
                "flat_minor": flat_minor,
                "lines": 0,
                "base_minor": 0,
                "amount_minor": 0,
            },
        )
        row["lines"] += 1
        row["base_minor"] += line.base_minor
        row["amount_minor"] += line.amount_minor
    return list(found.values())


def _rule_name(line: Commission) -> str:
    rule = line.because.get("rule") or {}
    return str(rule.get("name") or line.rule_key)


def content_hash(number: str, facts: dict[str, Any], lines: Iterable[StatementLine]) -> str:
    """Return the SHA-256 of everything the statement says, in one canonical form."""
    content = {"number": number, "facts": facts, "lines": [_canonical(line) for line in lines]}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def is_unchanged(statement: Statement) -> bool:
    """Tell whether the stored statement still says what was issued, amounts included."""
    if any(getattr(statement, column) != minor for column, minor in statement.facts["bridge"].items()):
        return False
    lines = statement.lines.order_by("position").iterator(chunk_size=2000)
    return content_hash(statement.number, statement.facts, lines) == statement.sha256


def _canonical(line: StatementLine) -> list[Any]:
    return [
        line.position,
        line.occurred_at.astimezone(UTC).isoformat(),
        line.order_id,
        line.customer,
        line.kind,
        line.base_minor,
        format(line.rate.normalize(), "f"),
        line.flat_minor,
        line.amount_minor,
    ]
