"""The invoice as a UN/CEFACT Cross Industry Invoice, profile EN 16931: the message inside a Factur-X document. It is made from the frozen facts
alone, so the same invoice always gives the same bytes."""

from __future__ import annotations

from datetime import date
from typing import Any

from payouts.einvoice.parts import EN16931, UNIT, Writer, amount, is_possible, lines_of, notes_of
from payouts.einvoice.parts import shows_vat_numbers as _shows_vat_numbers

__all__ = ["is_possible", "message"]

_STANDARD = "urn:un:unece:uncefact:data:standard:"
_xml = Writer(
    {
        "rsm": f"{_STANDARD}CrossIndustryInvoice:100",
        "ram": f"{_STANDARD}ReusableAggregateBusinessInformationEntity:100",
        "qdt": f"{_STANDARD}QualifiedDataType:100",
        "udt": f"{_STANDARD}UnqualifiedDataType:100",
    }
)


def message(facts: dict[str, Any]) -> bytes:
    """Return the message of an invoice or credit note."""
    root = _xml.root("rsm:CrossIndustryInvoice")
    _context(root, facts)
    _document(root, facts)
    trade = _xml.add(root, "rsm:SupplyChainTradeTransaction")
    for position, line in enumerate(lines_of(facts), start=1):
        _line(trade, facts, position, line)
    _agreement(trade, facts)
    _delivery(trade, facts)
    _settlement(trade, facts)
    return _xml.bytes_of(root)


def _context(root: Any, facts: dict[str, Any]) -> None:
    context = _xml.add(root, "rsm:ExchangedDocumentContext")
    if facts["process"]:
        process = _xml.add(context, "ram:BusinessProcessSpecifiedDocumentContextParameter")
        _xml.add(process, "ram:ID", facts["process"])
    guideline = _xml.add(context, "ram:GuidelineSpecifiedDocumentContextParameter")
    _xml.add(guideline, "ram:ID", EN16931)


def _document(root: Any, facts: dict[str, Any]) -> None:
    document = _xml.add(root, "rsm:ExchangedDocument")
    _xml.add(document, "ram:ID", facts["number"])
    _xml.add(document, "ram:TypeCode", facts["type_code"])
    _day(_xml.add(document, "ram:IssueDateTime"), facts["issued_on"])
    for code, text in notes_of(facts):
        note = _xml.add(document, "ram:IncludedNote")
        _xml.add(note, "ram:Content", text)
        _xml.add_if(note, "ram:SubjectCode", code)


def _line(trade: Any, facts: dict[str, Any], position: int, line: Any) -> None:
    item = _xml.add(trade, "ram:IncludedSupplyChainTradeLineItem")
    _xml.add(_xml.add(item, "ram:AssociatedDocumentLineDocument"), "ram:LineID", str(position))
    _xml.add(_xml.add(item, "ram:SpecifiedTradeProduct"), "ram:Name", line.name)
    price = _xml.add(_xml.add(item, "ram:SpecifiedLineTradeAgreement"), "ram:NetPriceProductTradePrice")
    _xml.add(price, "ram:ChargeAmount", line.price)
    delivery = _xml.add(item, "ram:SpecifiedLineTradeDelivery")
    _xml.add(delivery, "ram:BilledQuantity", line.quantity, unitCode=UNIT)
    settlement = _xml.add(item, "ram:SpecifiedLineTradeSettlement")
    tax = _xml.add(settlement, "ram:ApplicableTradeTax")
    _xml.add(tax, "ram:TypeCode", "VAT")
    _xml.add(tax, "ram:CategoryCode", facts["vat"]["category"])
    _rate(tax, facts)
    total = _xml.add(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation")
    _xml.add(total, "ram:LineTotalAmount", line.amount)


def _agreement(trade: Any, facts: dict[str, Any]) -> None:
    agreement = _xml.add(trade, "ram:ApplicableHeaderTradeAgreement")
    _party(agreement, "ram:SellerTradeParty", facts["seller"], facts)
    _party(agreement, "ram:BuyerTradeParty", facts["buyer"], facts)
    contract = _xml.add(agreement, "ram:ContractReferencedDocument")
    _xml.add(contract, "ram:IssuerAssignedID", facts["mandate"]["series"])


def _party(agreement: Any, name: str, party: dict[str, Any], facts: dict[str, Any]) -> None:
    element = _xml.add(agreement, name)
    _xml.add(element, "ram:ID", party["id"])
    _xml.add(element, "ram:Name", party["name"])
    if party["registration"]:
        organisation = _xml.add(element, "ram:SpecifiedLegalOrganization")
        scheme = {"schemeID": party["registration_scheme"]} if party["registration_scheme"] else {}
        _xml.add(organisation, "ram:ID", party["registration"], **scheme)
    address = _xml.add(element, "ram:PostalTradeAddress")
    _xml.add_if(address, "ram:PostcodeCode", party["postcode"])
    _xml.add_if(address, "ram:LineOne", party["street"])
    _xml.add_if(address, "ram:CityName", party["town"])
    _xml.add(address, "ram:CountryID", party["country"])
    if party["electronic_address"]:
        scheme_id, value = party["electronic_address"]
        reached = _xml.add(element, "ram:URIUniversalCommunication")
        _xml.add(reached, "ram:URIID", value, schemeID=scheme_id)
    _tax_number(element, party, facts, is_seller=name == "ram:SellerTradeParty")


def _tax_number(element: Any, party: dict[str, Any], facts: dict[str, Any], *, is_seller: bool) -> None:
    """Name the party to the tax office; a small business without a VAT number by its registration (BR-E-02)."""
    if not _shows_vat_numbers(facts):
        return
    number, scheme = party["vat_number"], "VA"
    if not number and is_seller:
        number, scheme = party["registration"], "FC"
    if number:
        registered = _xml.add(element, "ram:SpecifiedTaxRegistration")
        _xml.add(registered, "ram:ID", number, schemeID=scheme)


def _delivery(trade: Any, facts: dict[str, Any]) -> None:
    """Say when the service was complete: on the last day of the month it was earned in."""
    delivery = _xml.add(trade, "ram:ApplicableHeaderTradeDelivery")
    event = _xml.add(delivery, "ram:ActualDeliverySupplyChainEvent")
    _day(_xml.add(event, "ram:OccurrenceDateTime"), facts["period"][1])


def _settlement(trade: Any, facts: dict[str, Any]) -> None:
    settlement = _xml.add(trade, "ram:ApplicableHeaderTradeSettlement")
    _xml.add(settlement, "ram:PaymentReference", facts["number"])
    _xml.add(settlement, "ram:InvoiceCurrencyCode", facts["currency"])
    _vat(settlement, facts)
    period = _xml.add(settlement, "ram:BillingSpecifiedPeriod")
    _day(_xml.add(period, "ram:StartDateTime"), facts["period"][0])
    _day(_xml.add(period, "ram:EndDateTime"), facts["period"][1])
    terms = _xml.add(settlement, "ram:SpecifiedTradePaymentTerms")
    _xml.add(terms, "ram:Description", facts["payment_terms"])
    if facts["due_on"]:
        _day(_xml.add(terms, "ram:DueDateDateTime"), facts["due_on"])
    _totals(settlement, facts)
    if facts["refers_to"]:
        named = _xml.add(settlement, "ram:InvoiceReferencedDocument")
        _xml.add(named, "ram:IssuerAssignedID", facts["refers_to"]["number"])
        when = _xml.add(named, "ram:FormattedIssueDateTime")
        _xml.add(when, "qdt:DateTimeString", _plain(facts["refers_to"]["issued_on"]), format="102")


def _vat(settlement: Any, facts: dict[str, Any]) -> None:
    """Break the VAT down: one rate, computed once on the sum (BR-CO-17)."""
    vat = facts["vat"]
    tax = _xml.add(settlement, "ram:ApplicableTradeTax")
    _xml.add(tax, "ram:CalculatedAmount", amount(facts["vat_minor"], facts))
    _xml.add(tax, "ram:TypeCode", "VAT")
    _xml.add_if(tax, "ram:ExemptionReason", vat["reason"])
    _xml.add(tax, "ram:BasisAmount", amount(facts["net_minor"], facts))
    _xml.add(tax, "ram:CategoryCode", vat["category"])
    _xml.add_if(tax, "ram:ExemptionReasonCode", vat["code"])
    _rate(tax, facts)


def _rate(tax: Any, facts: dict[str, Any]) -> None:
    if facts["vat"]["category"] != "O":  # what is outside the scope has no rate (BR-O-05)
        _xml.add(tax, "ram:RateApplicablePercent", facts["vat"]["rate"])


def _totals(settlement: Any, facts: dict[str, Any]) -> None:
    net, gross = amount(facts["net_minor"], facts), amount(facts["gross_minor"], facts)
    total = _xml.add(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    _xml.add(total, "ram:LineTotalAmount", net)
    _xml.add(total, "ram:TaxBasisTotalAmount", net)
    vat = amount(facts["vat_minor"], facts)
    _xml.add(total, "ram:TaxTotalAmount", vat, currencyID=facts["currency"])
    _xml.add(total, "ram:GrandTotalAmount", gross)
    _xml.add(total, "ram:DuePayableAmount", gross)


def _day(parent: Any, day: str) -> None:
    _xml.add(parent, "udt:DateTimeString", _plain(day), format="102")


def _plain(day: str) -> str:
    return date.fromisoformat(day).strftime("%Y%m%d")
