"""Single rows of the tables beside the road of money: pauses, adjustments, disputes, tax, rates, checks and what the bank said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from payouts.models import (
    AccountCode,
    AccountSignal,
    Adjustment,
    ChainLink,
    Dispute,
    DisputeMessage,
    FxRate,
    Invoice,
    Pause,
    PayableDateChange,
    PaymentFileTaken,
    PaymentResult,
    PayRunCheck,
    Reserve,
    ResultFile,
    SelfBillingMandate,
    TaxForm,
    TaxProfile,
    Withholding,
)
from tests.factories.partners import MembershipFactory, PartnerFactory
from tests.factories.payout_rows import (
    CommissionFactory,
    PaymentFactory,
    PaymentFileFactory,
    PaymentMethodFactory,
    PayRunFactory,
    StatementFactory,
    TransactionFactory,
)
from tests.factories.prm import UserFactory
from tests.factories.tiers import LegalEntityFactory

NOW = datetime(2026, 4, 3, 9, tzinfo=UTC)


class ChainLinkFactory(DjangoModelFactory[ChainLink]):
    """The first link of a membership."""

    class Meta:
        model = ChainLink

    membership = factory.SubFactory(MembershipFactory)
    position = 1
    transaction = factory.SubFactory(TransactionFactory)
    sha256 = "0" * 64


class PauseFactory(DjangoModelFactory[Pause]):
    """An open stop on a membership's payments."""

    class Meta:
        model = Pause

    membership = factory.SubFactory(MembershipFactory)
    cause = "risk"
    reason = "We are checking several orders from one address."
    review_on = date(2026, 4, 10)
    paused_at = NOW
    paused_by = factory.SubFactory(UserFactory)


class PayableDateChangeFactory(DjangoModelFactory[PayableDateChange]):
    """A date moved by two weeks."""

    class Meta:
        model = PayableDateChange

    commission = factory.SubFactory(CommissionFactory)
    was_payable_at = factory.SelfAttribute("commission.payable_at")
    payable_at = datetime(2026, 4, 17, 9, tzinfo=UTC)
    reason = "The shop extended its return period."
    changed_at = NOW
    changed_by = factory.SubFactory(UserFactory)


class ReserveFactory(DjangoModelFactory[Reserve]):
    """A longer hold for one partner."""

    class Meta:
        model = Reserve

    membership = factory.SubFactory(MembershipFactory)
    program = factory.SelfAttribute("membership.program")
    hold_days = 60
    reason = "Many returns in the last quarter."
    starts_at = NOW
    set_at = NOW
    set_by = factory.SubFactory(UserFactory)


class AdjustmentFactory(DjangoModelFactory[Adjustment]):
    """A proposed bonus."""

    class Meta:
        model = Adjustment

    membership = factory.SubFactory(MembershipFactory)
    kind = "bonus"
    amount_minor = 50_00
    currency = "GBP"
    reason = "goodwill"
    note = "Thank you for the spring campaign."
    state = "proposed"
    proposed_at = NOW
    proposed_by = factory.SubFactory(UserFactory)
    needs_second_person = True


class DisputeFactory(DjangoModelFactory[Dispute]):
    """A question nobody has answered yet."""

    class Meta:
        model = Dispute

    commission = factory.SubFactory(CommissionFactory)
    membership = factory.SelfAttribute("commission.membership")
    cause = "rate"
    state = "opened"
    opened_at = NOW
    opened_by = factory.SubFactory(UserFactory)
    answer_by_at = datetime(2026, 4, 10, 22, tzinfo=UTC)


class DisputeMessageFactory(DjangoModelFactory[DisputeMessage]):
    """The partner's first message."""

    class Meta:
        model = DisputeMessage

    dispute = factory.SubFactory(DisputeFactory)
    is_from_partner = True
    text = "Gold should be 10 %."
    written_at = NOW
    written_by = factory.SubFactory(UserFactory)


class AccountSignalFactory(DjangoModelFactory[AccountSignal]):
    """Two partners with one account, not looked at yet."""

    class Meta:
        model = AccountSignal

    method = factory.SubFactory(PaymentMethodFactory)
    other = factory.SubFactory(PaymentMethodFactory)
    raised_at = NOW


class PayRunCheckFactory(DjangoModelFactory[PayRunCheck]):
    """A first payment nobody has looked at yet."""

    class Meta:
        model = PayRunCheck

    pay_run = factory.SubFactory(PayRunFactory)
    membership = factory.SubFactory(MembershipFactory)
    kind = "new_payee"
    raised_at = NOW


class PaymentFileTakenFactory(DjangoModelFactory[PaymentFileTaken]):
    """Somebody took a file."""

    class Meta:
        model = PaymentFileTaken

    file = factory.SubFactory(PaymentFileFactory)
    taken_at = NOW
    taken_by = factory.SubFactory(UserFactory)


class ResultFileFactory(DjangoModelFactory[ResultFile]):
    """A file of the bank with one booking."""

    class Meta:
        model = ResultFile

    legal_entity = factory.SubFactory(LegalEntityFactory)
    format = "csv"
    name = "results.csv"
    content = b"a\r\n"
    sha256 = factory.Sequence(lambda number: f"{number:064d}")
    row_count = 1
    imported_at = NOW
    imported_by = factory.SubFactory(UserFactory)


class PaymentResultFactory(DjangoModelFactory[PaymentResult]):
    """The bank paid."""

    class Meta:
        model = PaymentResult

    payment = factory.SubFactory(PaymentFactory)
    outcome = "settled"
    told_at = NOW
    told_by = factory.SubFactory(UserFactory)


class TaxProfileFactory(DjangoModelFactory[TaxProfile]):
    """A French business with domestic VAT."""

    class Meta:
        model = TaxProfile

    partner = factory.SubFactory(PartnerFactory)
    country_code = "FR"
    status = "business"
    vat_mode = "domestic"
    vat_rate = Decimal("20.00")
    vat_number = "FR40303265045"
    starts_at = NOW
    set_at = NOW
    set_by = factory.SubFactory(UserFactory)


class TaxFormFactory(DjangoModelFactory[TaxForm]):
    """A form without expiry."""

    class Meta:
        model = TaxForm

    partner = factory.SubFactory(PartnerFactory)
    kind = "w9"
    signed_on = date(2026, 1, 5)
    received_at = NOW
    received_by = factory.SubFactory(UserFactory)


class WithholdingFactory(DjangoModelFactory[Withholding]):
    """Ten percent from April on."""

    class Meta:
        model = Withholding

    partner = factory.SubFactory(PartnerFactory)
    rate = Decimal("10.00")
    basis = "Treaty, article 12"
    starts_on = date(2026, 4, 1)
    set_at = NOW
    set_by = factory.SubFactory(UserFactory)


class SelfBillingMandateFactory(DjangoModelFactory[SelfBillingMandate]):
    """A mandate in force."""

    class Meta:
        model = SelfBillingMandate

    partner = factory.SubFactory(PartnerFactory)
    legal_entity = factory.SubFactory(LegalEntityFactory)
    agreement_version = "1"
    agreement_text = "We write your invoices for you."
    series_prefix = factory.Sequence(lambda number: f"SB{number:05d}")
    agreed_at = NOW
    agreed_by = factory.SubFactory(UserFactory)


class InvoiceFactory(DjangoModelFactory[Invoice]):
    """An invoice of 80.00 without VAT."""

    class Meta:
        model = Invoice

    mandate = factory.SubFactory(SelfBillingMandateFactory)
    statement = factory.SubFactory(StatementFactory)
    kind = "invoice"
    number = factory.Sequence(lambda number: f"SB-2026-{number:05d}")
    year = 2026
    sequence = factory.Sequence(lambda number: number + 1)
    currency = "GBP"
    net_minor = 80_00
    vat_minor = 0
    gross_minor = 80_00
    vat_mode = "reverse_charge"
    vat_rate = Decimal("0.00")
    issued_at = NOW
    facts = factory.Dict({})
    sha256 = "0" * 64


class FxRateFactory(DjangoModelFactory[FxRate]):
    """What a pound was worth in euros on one day."""

    class Meta:
        model = FxRate

    base = "GBP"
    quote = "EUR"
    rate = Decimal("1.1500000000")
    rate_on = date(2026, 4, 2)
    source = "entered"
    entered_at = NOW


class AccountCodeFactory(DjangoModelFactory[AccountCode]):
    """Where commission expense goes in the operator's books."""

    class Meta:
        model = AccountCode

    legal_entity = factory.SubFactory(LegalEntityFactory)
    account_kind = "expense"
    code = "6222"
