"""A statement with an invoice to be: a French operator paying in euros, a partner with tax details and a mandate, both by the product's own
verbs; only the lines of the statement are put there as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from partners.models import Member, Membership, Partner
from payouts.models import SelfBillingMandate, Statement
from payouts.tax import agreement, mandates, profiles
from payouts.tax.profiles import TaxFacts
from tests.factories import payout_rows as rows
from tests.factories.money_rows import AdjustmentFactory
from tests.factories.partners import MembershipFactory, PartnerFactory
from tests.factories.referrals import CreditFactory
from tests.factories.tiers import LegalEntityFactory, PlanVersionFactory, ProgramFactory
from tests.people import ana
from tiers.models import PlanVersion

BEFORE = datetime(2026, 2, 1, 9, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
FRENCH: dict[str, Any] = {"country_code": "FR", "status": "business", "vat_number": "FR40303265045"}
POLISH: dict[str, Any] = {"country_code": "PL", "status": "business", "vat_number": "PL5260250995"}


@dataclass
class Billed:
    """A membership whose statements are invoiced."""

    membership: Membership
    mandate: SelfBillingMandate | None
    plan_version: PlanVersion

    @property
    def partner(self) -> Partner:
        return self.membership.partner

    def statement(
        self,
        *amounts: tuple[str, int],
        vat_minor: int = 0,
        month: int = 3,
        adjusted: int = 0,
        adjusted_untaxed: int = 0,
        due_on: date | None = date(2026, 4, 14),
        tax: dict[str, Any] | None = None,
    ) -> Statement:
        """Write a statement with one commission line per (rule, amount), and adjustments when asked."""
        gained = sum(minor for _rule, minor in amounts if minor > 0)
        taken = sum(minor for _rule, minor in amounts if minor < 0)
        program = self.membership.program
        period = rows.PeriodFactory.create(program=program, month=month)
        statement = rows.StatementFactory.create(
            membership=self.membership,
            period=period,
            currency=program.currency,
            language=self.partner.language,
            earned_minor=gained,
            reversed_minor=taken,
            adjusted_minor=adjusted + adjusted_untaxed,
            vat_minor=vat_minor,
            closing_minor=gained + taken + adjusted + adjusted_untaxed + vat_minor,
            line_count=len(amounts) + 2,
            due_on=due_on,
            facts={
                "rates": [{"rule": rule, "name": rule.replace("-", " ").capitalize()} for rule, _ in amounts],
                "tax": tax,
            },
        )
        credit = CreditFactory.create(membership=self.membership)
        posted = rows.TransactionFactory.create(period=period, kind="accrual")
        for position, (rule, minor) in enumerate(amounts, start=1):
            line = rows.CommissionFactory.create(
                credit=credit,
                accrued_in=posted,
                plan_version=self.plan_version,
                rule_key=rule,
                kind="earned" if minor > 0 else "reversal",
                amount_minor=minor,
                currency=program.currency,
                period=period,
            )
            rows.StatementLineFactory.create(
                statement=statement, position=position, commission=line, kind=line.kind, amount_minor=minor
            )
        for position, (minor, taxable) in enumerate(((adjusted, True), (adjusted_untaxed, False))):
            if minor:
                self._adjust(statement, minor, taxable, position=len(amounts) + 1 + position)
        return statement

    def _adjust(self, statement: Statement, minor: int, taxable: bool, *, position: int) -> None:
        posted = rows.TransactionFactory.create(period=statement.period, kind="adjustment")
        AdjustmentFactory.create(
            membership=self.membership,
            amount_minor=minor,
            currency=statement.currency,
            is_taxable=taxable,
            state="posted",
            needs_second_person=False,
            posted_in=posted,
        )
        rows.StatementLineFactory.create(
            statement=statement,
            position=position,
            commission=None,
            transaction=posted,
            kind="adjustment",
            amount_minor=minor,
        )


def billed(
    facts: dict[str, Any] | None = None,
    *,
    language: str = "en",
    agreed: bool = True,
    entity: dict[str, str] | None = None,
    currency: str = "EUR",
    **by_hand: Any,
) -> Billed:
    """Make a membership of a French operator with tax details and, unless told otherwise, a mandate."""
    operator: dict[str, Any] = {
        "name": "Halden France SAS",
        "number_prefix": "HF",
        "street": "Rue de la Paix",
        "building_number": "12",
        "postcode": "75002",
        "town": "Paris",
        "country_code": "FR",
        "vat_number": "FR83404833048",
        "registration_number": "404833048",
        "contact_email": "compta@halden.example",
    }
    partner = PartnerFactory.create(
        name="Studio Prado",
        legal_name="Studio Prado SARL",
        email="facturation@studio.example",
        street="Aleja Jana Pawła II",
        building_number="22",
        postcode="00-133",
        town="Warszawa",
        language=language,
    )
    Member.objects.create(partner=partner, user=ana(), role="owner", joined_at=BEFORE)
    program = ProgramFactory.create(
        legal_entity=LegalEntityFactory.create(**(operator | (entity or {}))),
        name="Halden affiliates",
        currency=currency,
        time_zone="Europe/Paris",
    )
    membership = MembershipFactory.create(partner=partner, program=program, joined_at=BEFORE)
    profiles.set_profile(partner, TaxFacts(**(facts or FRENCH)), by=ana(), at=BEFORE)
    mandate = None
    if agreed:
        mandate = mandates.agree(
            partner,
            program.legal_entity,
            version=agreement.VERSION,
            by=ana(),
            at=BEFORE,
            address="192.0.2.7",
        )
    return Billed(membership, mandate, PlanVersionFactory.create())
