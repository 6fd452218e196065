"""E-invoices are judged by others' rules: the schemas, the rules of EN 16931 and those of France, in both syntaxes. Amounts are worked by
hand."""

from __future__ import annotations

from dataclasses import dataclass

import facturx
import pytest
from lxml import etree

from payouts.einvoice import cii, ubl
from payouts.models import Invoice
from payouts.tax import invoices
from tests.payouts.einvoice import rules
from tests.payouts.tax.billed import APRIL_3, MAY_4, POLISH, Billed, billed
from tests.people import fiona

pytestmark = pytest.mark.django_db

_RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"


@dataclass
class Sums:
    """What the totals of a message say, as text."""

    net: str
    vat: str
    gross: str


def domestic() -> Invoice:
    """Write an invoice of 1000.00 − 25.00 + 50.00 = 1025.00 and 20 % VAT, 205.00."""
    statement = billed().statement(
        ("every-order", 1000_00), ("every-order", -25_00), adjusted=50_00, vat_minor=205_00
    )
    return issued(statement_of=statement)


def reversed_charge() -> Invoice:
    them = billed(POLISH, language="pl")
    return issued(statement_of=them.statement(("every-order", 999_99), ("new-customers", 50_00)))


def credit_month() -> Invoice:
    """Write a credit note of 123.45 − 10.00 = 113.45 and 20 % VAT, 22.69, after an invoice."""
    them: Billed = billed(language="fr")
    issued(statement_of=them.statement(("every-order", 500_00), vat_minor=100_00))
    taken = them.statement(
        ("every-order", 10_00), ("every-order", -123_45), vat_minor=-22_69, month=4, due_on=None
    )
    return issued(statement_of=taken)


def taken_back() -> Invoice:
    return invoices.credit(domestic(), reason="Wrong address", by=fiona(), at=MAY_4)


def small_business() -> Invoice:
    facts = {"country_code": "PL", "status": "small_business", "registration_number": "0000123456"}
    return issued(statement_of=billed(facts, language="pl").statement(("every-order", 80_00)))


def overseas() -> Invoice:
    facts = {"country_code": "US", "status": "business_abroad"}
    return issued(statement_of=billed(facts, language="fr").statement(("every-order", 80_00), due_on=None))


def in_yen() -> Invoice:
    them = billed(POLISH, currency="JPY")
    return issued(statement_of=them.statement(("every-order", 12_345)))


def many_rules() -> Invoice:
    lines = [(f"rule-{number}", 100 + number) for number in range(60)]
    return issued(statement_of=billed(POLISH).statement(*lines))


def issued(*, statement_of: object) -> Invoice:
    invoice = invoices.issue_for(statement_of, at=APRIL_3)  # type: ignore[arg-type]
    assert invoice is not None
    return invoice


def sums_of(message: bytes) -> Sums:
    total = etree.fromstring(message).find(f".//{_RAM}SpecifiedTradeSettlementHeaderMonetarySummation")
    assert total is not None
    names = ("TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount")
    return Sums(*(str(total.findtext(f"{_RAM}{name}")) for name in names))


CASES = [
    (domestic, "389", Sums("1025.00", "205.00", "1230.00")),
    (reversed_charge, "389", Sums("1049.99", "0.00", "1049.99")),
    (credit_month, "261", Sums("113.45", "22.69", "136.14")),
    (taken_back, "261", Sums("1025.00", "205.00", "1230.00")),
    (small_business, "389", Sums("80.00", "0.00", "80.00")),
    (overseas, "389", Sums("80.00", "0.00", "80.00")),
    (in_yen, "389", Sums("12345", "0", "12345")),
    (many_rules, "389", Sums("77.70", "0.00", "77.70")),  # 60 × 1.00 + 0.01 × (0 + … + 59)
]


@pytest.mark.parametrize(("write", "code", "sums"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_message_passes_schema_and_rules_of_the_standard(write: object, code: str, sums: Sums) -> None:
    invoice: Invoice = write()  # type: ignore[operator]
    message = invoice.cii_xml.encode()
    assert facturx.xml_check_xsd(message, flavor="factur-x", level="en16931")
    tried, failed = rules.judged(message, rules.CII)
    assert failed == []
    assert tried > 80
    assert sums_of(message) == sums
    assert f"<ram:TypeCode>{code}</ram:TypeCode>" in invoice.cii_xml
    assert cii.message(invoice.facts) == message


@pytest.mark.parametrize(("write", "code", "sums"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_other_syntax_passes_its_schema_and_the_same_rules(write: object, code: str, sums: Sums) -> None:
    invoice: Invoice = write()  # type: ignore[operator]
    message = ubl.message(invoice.facts)
    kind = "CreditNote" if code == "261" else "Invoice"
    schema = rules.ubl_schema(kind)
    assert schema.validate(etree.fromstring(message)), schema.error_log
    assert rules.judged(message, rules.UBL)[1] == []
    assert f">{sums.gross}</cbc:PayableAmount>" in message.decode()


@pytest.mark.parametrize("write", [domestic, credit_month, taken_back])
def test_between_french_businesses_the_french_rules_pass_in_both_syntaxes(write: object) -> None:
    invoice: Invoice = write()  # type: ignore[operator]
    assert rules.judged(invoice.cii_xml.encode(), rules.CII_FRANCE)[1] == []
    assert rules.judged(ubl.message(invoice.facts), rules.UBL_FRANCE)[1] == []


def test_the_rules_notice_a_falsified_total() -> None:
    falsified = domestic().cii_xml.replace("<ram:GrandTotalAmount>1230.00", "<ram:GrandTotalAmount>1231.00")
    names = {each.split()[0] for each in rules.judged(falsified.encode(), rules.CII)[1]}
    assert {"BR-CO-15", "BR-CO-16"} <= names


def test_what_is_taken_back_has_a_negative_quantity_and_never_a_negative_price() -> None:
    root = etree.fromstring(domestic().cii_xml.encode())
    prices = [each.text for each in root.iter(f"{_RAM}ChargeAmount")]
    quantities = [each.text for each in root.iter(f"{_RAM}BilledQuantity")]
    assert list(zip(quantities, prices, strict=True)) == [("1", "1000.00"), ("-1", "25.00"), ("1", "50.00")]


def test_the_words_of_the_law_are_in_the_message() -> None:
    text = reversed_charge().cii_xml
    assert "<ram:Content>Samofakturowanie</ram:Content>" in text
    assert "<ram:ExemptionReason>Odwrotne obciążenie</ram:ExemptionReason>" in text
    assert "<ram:ExemptionReasonCode>VATEX-EU-AE</ram:ExemptionReasonCode>" in text


def test_between_french_businesses_the_terms_of_payment_and_the_siren_are_in_the_message() -> None:
    french = domestic().cii_xml
    for code in ("PMT", "PMD", "AAB"):
        assert f"<ram:SubjectCode>{code}</ram:SubjectCode>" in french
    assert '<ram:URIID schemeID="0225">303265045</ram:URIID>' in french


def test_texts_of_people_cannot_break_out_of_the_message() -> None:
    them = billed(POLISH)
    type(them.partner).objects.filter(pk=them.partner.pk).update(
        legal_name='<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>&y;\x0b</ram:Name>'
    )
    them.membership.partner.refresh_from_db()
    invoice = issued(statement_of=them.statement(("every-order", 80_00)))
    root = etree.fromstring(invoice.cii_xml.encode())
    seller = root.find(f".//{_RAM}SellerTradeParty/{_RAM}Name")
    assert seller is not None
    assert seller.text == '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>&y;</ram:Name>'


def test_a_currency_with_three_decimals_has_no_message_in_the_standard() -> None:
    invoice = issued(statement_of=billed(POLISH, currency="KWD").statement(("every-order", 12_345)))
    assert invoice.cii_xml == ""
    assert not cii.is_possible(invoice.facts)
