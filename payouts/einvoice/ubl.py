"""The same invoice in the other syntax of EN 16931: a UBL 2.1 Invoice (389) or CreditNote (261), for receivers that read no Factur-X."""

from __future__ import annotations

from typing import Any

from payouts.einvoice.parts import EN16931, UNIT, Writer, amount, is_possible, lines_of, notes_of
from payouts.einvoice.parts import shows_vat_numbers as _shows_vat_numbers

__all__ = ["is_possible", "message"]

_OASIS = "urn:oasis:names:specification:ubl:schema:xsd:"
_COMMON: dict[str | None, str] = {
    "cac": f"{_OASIS}CommonAggregateComponents-2",
    "cbc": f"{_OASIS}CommonBasicComponents-2",
}
_CREDIT_NOTE = "261"


def message(facts: dict[str, Any]) -> bytes:
    """Return the document of an invoice or credit note."""
    return _Document(facts).bytes()


class _Document:
    """One document being written, element after element in the order of the schema."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.is_credit = facts["type_code"] == _CREDIT_NOTE
        self.kind = "CreditNote" if self.is_credit else "Invoice"
        self.xml = Writer({None: f"{_OASIS}{self.kind}-2", **_COMMON})
        self.root = self.xml.root(self.kind)

    def bytes(self) -> bytes:
        self._head()
        self._party("AccountingSupplierParty", self.facts["seller"], is_seller=True)
        self._party("AccountingCustomerParty", self.facts["buyer"], is_seller=False)
        delivery = self.xml.add(self.root, "cac:Delivery")
        self.xml.add(delivery, "cbc:ActualDeliveryDate", self.facts["period"][1])
        terms = self.xml.add(self.root, "cac:PaymentTerms")
        self.xml.add(terms, "cbc:Note", self.facts["payment_terms"])
        self._vat()
        self._totals()
        for position, line in enumerate(lines_of(self.facts), start=1):
            self._line(position, line)
        return self.xml.bytes_of(self.root)

    def _head(self) -> None:
        add, root, facts = self.xml.add, self.root, self.facts
        add(root, "cbc:CustomizationID", EN16931)
        self.xml.add_if(root, "cbc:ProfileID", facts["process"])
        add(root, "cbc:ID", facts["number"])
        add(root, "cbc:IssueDate", facts["issued_on"])
        if facts["due_on"] and not self.is_credit:  # a credit note has no such element
            add(root, "cbc:DueDate", facts["due_on"])
        add(root, f"cbc:{self.kind}TypeCode", facts["type_code"])
        for code, text in notes_of(facts):
            add(root, "cbc:Note", f"#{code}#{text}" if code else text)
        add(root, "cbc:DocumentCurrencyCode", facts["currency"])
        period = add(root, "cac:InvoicePeriod")
        add(period, "cbc:StartDate", facts["period"][0])
        add(period, "cbc:EndDate", facts["period"][1])
        if facts["refers_to"]:
            named = add(add(root, "cac:BillingReference"), "cac:InvoiceDocumentReference")
            add(named, "cbc:ID", facts["refers_to"]["number"])
            add(named, "cbc:IssueDate", facts["refers_to"]["issued_on"])
        add(add(root, "cac:ContractDocumentReference"), "cbc:ID", facts["mandate"]["series"])

    def _party(self, name: str, facts: dict[str, Any], *, is_seller: bool) -> None:
        add = self.xml.add
        party = add(add(self.root, f"cac:{name}"), "cac:Party")
        if facts["electronic_address"]:
            scheme, value = facts["electronic_address"]
            add(party, "cbc:EndpointID", value, schemeID=scheme)
        if is_seller and not facts["registration"]:
            # BR-CO-26 wants a seller to have some number; French platforms take none without a scheme.
            add(add(party, "cac:PartyIdentification"), "cbc:ID", facts["id"])
        address = add(party, "cac:PostalAddress")
        self.xml.add_if(address, "cbc:StreetName", facts["street"])
        self.xml.add_if(address, "cbc:CityName", facts["town"])
        self.xml.add_if(address, "cbc:PostalZone", facts["postcode"])
        add(add(address, "cac:Country"), "cbc:IdentificationCode", facts["country"])
        self._tax_number(party, facts, is_seller=is_seller)
        legal = add(party, "cac:PartyLegalEntity")
        add(legal, "cbc:RegistrationName", facts["name"])
        scheme = facts["registration_scheme"]
        self.xml.add_if(
            legal, "cbc:CompanyID", facts["registration"], **({"schemeID": scheme} if scheme else {})
        )

    def _tax_number(self, party: Any, facts: dict[str, Any], *, is_seller: bool) -> None:
        if not _shows_vat_numbers(self.facts):
            return
        number, scheme = facts["vat_number"], "VAT"
        if not number and is_seller:
            number, scheme = facts["registration"], "TAX"
        if number:
            registered = self.xml.add(party, "cac:PartyTaxScheme")
            self.xml.add(registered, "cbc:CompanyID", number)
            self._scheme(registered, scheme)

    def _vat(self) -> None:
        total = self.xml.add(self.root, "cac:TaxTotal")
        self._money(total, "cbc:TaxAmount", self.facts["vat_minor"])
        part = self.xml.add(total, "cac:TaxSubtotal")
        self._money(part, "cbc:TaxableAmount", self.facts["net_minor"])
        self._money(part, "cbc:TaxAmount", self.facts["vat_minor"])
        vat = self.facts["vat"]
        category = self._category(part, "cac:TaxCategory", has_scheme=False)
        self.xml.add_if(category, "cbc:TaxExemptionReasonCode", vat["code"])
        self.xml.add_if(category, "cbc:TaxExemptionReason", vat["reason"])
        self._scheme(category, "VAT")

    def _category(self, parent: Any, name: str, *, has_scheme: bool = True) -> Any:
        vat = self.facts["vat"]
        category = self.xml.add(parent, name)
        self.xml.add(category, "cbc:ID", vat["category"])
        if vat["category"] != "O":
            self.xml.add(category, "cbc:Percent", vat["rate"])
        if has_scheme:
            self._scheme(category, "VAT")
        return category

    def _scheme(self, parent: Any, name: str) -> None:
        self.xml.add(self.xml.add(parent, "cac:TaxScheme"), "cbc:ID", name)

    def _totals(self) -> None:
        total = self.xml.add(self.root, "cac:LegalMonetaryTotal")
        net, gross = self.facts["net_minor"], self.facts["gross_minor"]
        self._money(total, "cbc:LineExtensionAmount", net)
        self._money(total, "cbc:TaxExclusiveAmount", net)
        self._money(total, "cbc:TaxInclusiveAmount", gross)
        self._money(total, "cbc:PayableAmount", gross)

    def _line(self, position: int, line: Any) -> None:
        add = self.xml.add
        item = add(self.root, f"cac:{self.kind}Line")
        add(item, "cbc:ID", str(position))
        quantity = "CreditedQuantity" if self.is_credit else "InvoicedQuantity"
        add(item, f"cbc:{quantity}", line.quantity, unitCode=UNIT)
        add(item, "cbc:LineExtensionAmount", line.amount, currencyID=self.facts["currency"])
        product = add(item, "cac:Item")
        add(product, "cbc:Name", line.name)
        self._category(product, "cac:ClassifiedTaxCategory")
        price = add(item, "cac:Price")
        add(price, "cbc:PriceAmount", line.price, currencyID=self.facts["currency"])

    def _money(self, parent: Any, name: str, minor: int) -> None:
        self.xml.add(parent, name, amount(minor, self.facts), currencyID=self.facts["currency"])
