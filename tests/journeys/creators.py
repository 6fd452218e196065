"""The year of real sales in the smallest program of the demo, lived month by month with everything that befalls money: VAT, tax withheld, a
payment in euros, an adjustment, a question, a payment that comes back and a statement that is corrected. Every step is a verb of the product."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

from demo import dataset, enrolment, money, people, programs
from demo.people import FINANCE_APPROVES, FINANCE_PREPARES
from partners.models import Membership
from payouts import accrual, adjustments, disputes, fx_import, payment_methods, periods, statements
from payouts.models import Commission, Payment, PayRun, Statement
from payouts.results import import_file
from payouts.tax import agreement, mandates, profiles, withholding
from payouts.tax.profiles import TaxFacts
from prm.accounts.models import User
from prm.lib.money import Money
from prm.lib.periods import Month, months_between
from prm.mail.outbox import quiet
from prm.runs.progress import Reporter
from referrals import imports
from tiers.models import Program

# Whole weeks, so that weekdays stay; the first order is of 4 December 2024.
SHIFT = timedelta(weeks=731)
NOW = datetime(2026, 2, 2, 9, tzinfo=UTC)
MONTHS = list(months_between(Month(2024, 12), Month(2026, 1)))[:13]
ROWS = {row.code: row for row in dataset.partners() if row.kind == "influencer"}
TAXED, PLAIN, WITHHELD, IN_EUROS = "UK-37", "UK-38", "UK-39", "UK-40"

MINIMUM = Decimal("150.00")
# What one euro is worth in pounds at the end of each month.
RATES = {
    month: Decimal("0.8262") + Decimal("0.0037") * (position % 5) for position, month in enumerate(MONTHS)
}
BONUS, ANSWERED = Decimal("25.00"), Decimal("4.20")
VAT_NUMBER = "GB802300006"
BY_FILE = (Month(2025, 3), Month(2025, 7))  # the bank's file says what came of these months' runs
RETURNED, CORRECTED = Month(2025, 7), Month(2025, 4)
FEE = Decimal("1.50")  # what the bank took for the return


class Year:
    """The program and its four partners; `live` takes them through the year."""

    def __init__(self) -> None:
        self.program: Program
        self.members: dict[str, Membership] = {}
        self.runs: dict[Month, PayRun] = {}

    def live(self) -> Year:
        """Import the sales, then close every month, pay it and let happen what happens in the month after."""
        with quiet():
            self._open()
            self._import()
            for month in MONTHS:
                self._month(month)
        return self

    def owner(self, code: str) -> User:
        found = self.members[code].partner.members.get(role="owner").user
        return User.objects.get(pk=found.pk)

    def standing(self, code: str, month: Month) -> Statement:
        """Return the statement in force."""
        return Statement.objects.in_force().get(
            membership=self.members[code], period__year=month.year, period__month=month.month
        )

    def payment(self, code: str, month: Month) -> Payment:
        """Return the payment by the run of a month."""
        return Payment.objects.get(pay_run=self.runs[month], membership=self.members[code])

    def _open(self) -> None:
        people.make_staff()
        entity = programs.make_entity()
        starts_at = MONTHS[0].starts_at(dataset.LONDON)
        self.program = programs.make_program(entity, "influencer", at=starts_at - timedelta(days=30))
        self.program.minimum_payout_minor = int(MINIMUM * 100)
        self.program.fx_moment = "statement"
        self.program.save(update_fields=["minimum_payout_minor", "fx_moment"])
        for code, row in ROWS.items():
            self.members[code] = enrolment.enrol(row, self.program, at=starts_at)
        self._pay_in_euros("DE89370400440532013000", at=starts_at)

    def _import(self) -> None:
        text = io.StringIO()
        rows = [row for row in dataset.orders() if row["partner_code"] in ROWS]
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        for row in rows:
            moved = dataset.instant(row["occurred_at"]) + SHIFT
            writer.writerow(row | {"occurred_at": f"{moved:%Y-%m-%dT%H:%M:%SZ}"})
        stream = io.BytesIO(text.getvalue().encode())
        imports.import_file(stream, source="online_retail", at=NOW, reporter=Reporter())
        for _step in accrual.drain(at=NOW):
            pass

    def _month(self, month: Month) -> None:
        entity, over = self.program.legal_entity, month.ends_at(dataset.LONDON)
        closed_at = over + timedelta(hours=8)
        fx_import.import_rates(ecb_file(month), by=FINANCE_PREPARES.user(), at=closed_at)
        periods.close(self.program, month, by=FINANCE_PREPARES.user(), at=closed_at)
        self.runs[month] = money.pay(entity, month, opened=over, now=NOW, is_last=month in BY_FILE)
        if month in BY_FILE:
            self._bank_says(month, paid(self.runs[month]), at=day(month.next(), 18), name="paid")
        happens = getattr(self, f"_in_{month.next()}".replace("-", "_"), None)
        if happens is not None:
            happens()

    def _in_2025_01(self) -> None:
        """One is a small business at first, and lets us write its invoices."""
        at, owner, partner = day(Month(2025, 1), 20), self.owner(TAXED), self.members[TAXED].partner
        payment_methods.set_address(
            partner,
            street="Mill Road",
            building_number="3",
            postcode="CB1 2AD",
            town="Cambridge",
            country="GB",
            by=owner,
            at=at,
        )
        facts = TaxFacts(country_code="GB", status="small_business", registration_number="11223344")
        profiles.set_profile(partner, facts, by=owner, at=at)
        partner.refresh_from_db()
        mandates.agree(
            partner,
            self.program.legal_entity,
            version=agreement.VERSION,
            by=owner,
            at=at,
            address="192.0.2.7",
        )

    def _in_2025_02(self) -> None:
        """From March on, 15 percent of what another one is paid is kept."""
        withholding.set_rate(
            self.members[WITHHELD].partner,
            rate=Decimal(15),
            basis="Treaty, article 17",
            starts_on=date(2025, 3, 1),
            by=FINANCE_APPROVES.user(),
            at=day(Month(2025, 2), 20),
        )

    def _in_2025_03(self) -> None:
        """A bonus is agreed, and a question is answered with money; both pass a second person."""
        prepares, approves = FINANCE_PREPARES.user(), FINANCE_APPROVES.user()
        march = Month(2025, 3)
        bonus = adjustments.propose(
            self.members[WITHHELD],
            kind="bonus",
            amount=pounds(BONUS),
            reason="campaign",
            note="Spring window",
            by=prepares,
            at=day(march, 20),
        )
        adjustments.approve(bonus, by=approves, at=day(march, 21))
        line = Commission.objects.filter(statement=self.standing(PLAIN, Month(2025, 2))).earliest("pk")
        asked = disputes.open(
            line, cause="amount", text="This order was larger.", by=self.owner(PLAIN), at=day(march, 22)
        )
        change = disputes.accept(
            asked, amount=pounds(ANSWERED), note="You are right.", by=approves, at=day(march, 24)
        )
        assert change is not None
        adjustments.approve(change, by=prepares, at=day(march, 25))

    def _in_2025_05(self) -> None:
        """The small business registers for VAT."""
        facts = TaxFacts(country_code="GB", status="business", vat_number=VAT_NUMBER)
        profiles.set_profile(
            self.members[TAXED].partner, facts, by=self.owner(TAXED), at=day(Month(2025, 5), 20)
        )

    def _in_2025_06(self) -> None:
        """It had been registered since April, whose statement has been paid."""
        wrong = self.standing(TAXED, CORRECTED)
        assert wrong.state == "paid"
        statements.correct(
            wrong,
            reason="Registered for VAT since 1 April.",
            by=FINANCE_PREPARES.user(),
            at=day(Month(2025, 6), 25),
        )

    def _in_2025_08(self) -> None:
        """The payment in euros comes back; the partner names another account."""
        self._bank_says(
            RETURNED, came_back(self.payment(IN_EUROS, RETURNED)), at=day(Month(2025, 8), 21), name="returned"
        )
        self._pay_in_euros("FR1420041010050500013M02606", at=day(Month(2025, 8), 25))

    def _pay_in_euros(self, iban: str, *, at: datetime) -> None:
        payment_methods.add(
            self.members[IN_EUROS].partner,
            currency="GBP",
            payout_currency="EUR",
            holder="UK Influencer 40",
            iban=iban,
            by=self.owner(IN_EUROS),
            at=at,
        )

    def _bank_says(self, month: Month, entries: str, *, at: datetime, name: str) -> None:
        content = statement_of_account(entries)
        file = import_file(
            self.program.legal_entity, name=f"{name}.xml", content=content, by=FINANCE_APPROVES.user(), at=at
        )
        again = import_file(
            self.program.legal_entity, name=f"{name}.xml", content=content, by=FINANCE_APPROVES.user(), at=at
        )
        assert file == again
        self.runs[month].refresh_from_db()


def day(month: Month, number: int) -> datetime:
    return datetime(month.year, month.month, number, 10, tzinfo=UTC)


def pounds(amount: Decimal) -> Money:
    return Money(int(amount * 100), "GBP")


def ecb_file(month: Month) -> bytes:
    """Return a file of reference rates as the European Central Bank writes it, of a day before the month's end."""
    return f"Date, GBP, \n{date(month.year, month.month, 27):%d %B %Y}, {RATES[month]}, \n".encode()


def paid(run: PayRun) -> str:
    """Return what a bank books for every payment of a run."""
    return "".join(
        entry(payment, side="DBIT", on=run.execute_on)
        for payment in Payment.objects.filter(pay_run=run).order_by("-pk")
    )


def came_back(payment: Payment) -> str:
    """Return what a bank books for a payment to a closed account."""
    fee = f'<Chrgs><TtlChrgsAndTaxAmt Ccy="{payment.sent_currency}">{FEE}</TtlChrgsAndTaxAmt></Chrgs>'
    why = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Konto erloschen</AddtlInf></RtrInf>"
    return entry(payment, side="CRDT", on=date(2025, 8, 20), more=fee + why)


def entry(payment: Payment, *, side: str, on: date, more: str = "") -> str:
    amount = f"{Decimal(payment.sent_minor) / 100:.2f}"
    money = f'<Amt Ccy="{payment.sent_currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
    return (
        f"<Ntry>{money}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt>"
        f"<AcctSvcrRef>{side}-{payment.pk}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>"
        f"{escape(payment.end_to_end_id)}</EndToEndId></Refs>{money}{more}</TxDtls></NtryDtls></Ntry>"
    )


def statement_of_account(entries: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>STMT</MsgId><CreDtTm>2025-08-20T20:00:00+01:00</CreDtTm></GrpHdr><Stmt><Id>1</Id>"
        f"<Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()
