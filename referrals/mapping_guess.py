"""Guess what the columns of a shop's file mean, from what shops call them and from how the first lines look. A guess is shown to a person
before anything is read by it."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence

from referrals import reading
from referrals.mapping import ATTRIBUTE, DELIMITERS, FileMapping
from referrals.reading import BadValue

# What shops, checkouts and book-keepers call these, in letters and digits only.
SYNONYMS: dict[str, str] = {
    "event_id": "eventid orderid ordernumber orderno ordernr order transactionid transaction invoiceid invoicenumber "
    "invoiceno invoice reference bestellnummer numerodecommande nocommande commande numerzamowienia zamowienie id",
    "kind": "kind eventkind type eventtype transactiontype event typ rodzaj",
    "occurred_at": "occurredat date datetime orderdate createdat created purchasedat paidat invoicedate timestamp time "
    "bestelldatum datum datedecommande datazamowienia data",
    "amount": "amount total grandtotal ordertotal totalprice saleamount revenue value price gross grossamount sum betrag "
    "summe montant montantttc totalttc kwota wartosc razem",
    "currency": "currency currencycode waehrung wahrung devise waluta",
    "customer_id": "customerid customer clientid client userid buyerid accountid kundennummer kunde numeroclient idklienta "
    "klient",
    "customer_email": "customeremail email emailaddress mail billingemail buyeremail adressemail courriel adresemail",
    "customer_email_sha256": "customeremailsha256 emailsha256 emailhash hashedemail",
    "country": "country countrycode billingcountry shippingcountry land pays kraj",
    "code": "code partnercode discountcode couponcode coupon voucher vouchercode promocode promo affiliatecode "
    "gutschein gutscheincode codepromo kodrabatowy kod",
    "click_id": "clickid prmclick click",
    "original_event_id": "originaleventid originalorder originalorderid refundof refundedorder parentorder parentid "
    "creditof",
    "product": "product productcode productid sku stockcode item itemcode articlenumber artikelnummer referenceproduit "
    "produit produkt",
    "category": "category productcategory productgroup kategorie categorie kategoria",
    "quantity": "quantity qty pieces units menge anzahl quantite ilosc",
    "tax": "tax taxes taxamount totaltax vat vatamount salestax mwst ust tva montanttva podatek",
    "shipping": "shipping shippingcost shippingamount shippingtotal delivery freight versand versandkosten livraison "
    "fraisdeport dostawa",
    "discount": "discount discountamount totaldiscount rebate rabatt remise rabat",
    "cost": "cost costofgoods cogs unitcost itemcost einkaufspreis coutdachat koszt",
    "sub_id": "subid sub sub1 affsub",
    "campaign": "campaign utmcampaign kampagne campagne kampania",
    "deal": "deal dealid dealreference opportunity opportunityid",
    "lead": "lead leadid leadreference",
}
# The earlier in the list, the surer: a column named order_id is the event's id before one that is named id.
_FIELD_OF = {
    word: (name, rank) for name, words in SYNONYMS.items() for rank, word in enumerate(words.split(), start=1)
}
# Columns of the format the product's own files have that are called otherwise there; an order's id becomes an attribute.
_OWN = {"partner_code": "code", "product_code": "product"}
_COMMA = re.compile(r"-?(?:[0-9]{1,3}(?:[. \u00a0\u202f'][0-9]{3})+|[0-9]+),[0-9]{1,2}")
_POINT = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)\.[0-9]{1,4}")
_THREE = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-][0-9]{4}\b.*")
_SECONDS = re.compile(r"1[0-9]{9}")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*")


def delimiter_of(header: str) -> str:
    """Return what parts the columns of a header line: what parts it into most."""
    counts = {each: _width(header, each) for each in DELIMITERS}
    return max(counts, key=lambda each: counts[each])


def _width(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter, strict=True), []))
    except csv.Error:
        return 0


def guess(header: Sequence[str], rows: Sequence[Sequence[str]], *, delimiter: str = ",") -> FileMapping:
    """Return what the columns most likely mean; `rows` are cells of the first lines."""
    columns = _columns(header)
    attributes = {each.removeprefix(ATTRIBUTE): each for each in header if each.startswith(ATTRIBUTE)}
    if "event_id" in header and "order_id" in header:
        attributes["order_id"] = "order_id"
    attributes = {name: column for name, column in attributes.items() if _is_attribute(name)}

    def cells(name: str) -> list[str]:
        place = header.index(columns[name]) if name in columns else -1
        return [row[place].strip() for row in rows if 0 <= place < len(row) and row[place].strip()]

    amounts = cells("amount")
    return FileMapping(
        columns=columns,
        constants=_constants(columns),
        attributes=attributes,
        delimiter=delimiter,
        decimal=_decimal(amounts),
        dates=_dates(cells("occurred_at")),
        # Only where nothing else tells a refund from a sale.
        negatives="refund"
        if "kind" not in columns and any(each.startswith("-") for each in amounts)
        else "refuse",
    )


def _columns(header: Sequence[str]) -> dict[str, str]:
    """Return the column each fact is most surely in; of equally sure ones the first."""
    found: dict[str, tuple[int, str]] = {}
    for column in header:
        name, rank = _meaning(column)
        if name and (name not in found or rank < found[name][0]):
            found[name] = rank, column
    return {name: column for name, (_rank, column) in found.items()}


def _meaning(column: str) -> tuple[str, int]:
    if column in _OWN:
        return _OWN[column], 0
    plain = unicodedata.normalize("NFKD", column.lower().replace("ł", "l").replace("ß", "ss"))
    return _FIELD_OF.get(re.sub(r"[^a-z0-9]", "", plain), ("", 0))


def _is_attribute(name: str) -> bool:
    try:
        reading.attributes({name: ""})
    except BadValue:
        return False
    return True


def _constants(columns: dict[str, str]) -> dict[str, str]:
    return {} if "kind" in columns else {"kind": "sale"}


def _decimal(amounts: Sequence[str]) -> str:
    commas = sum(bool(_COMMA.fullmatch(each)) for each in amounts)
    points = sum(bool(_POINT.fullmatch(each)) for each in amounts)
    return "," if commas > points else "."


def _dates(texts: Sequence[str]) -> str:
    if any(_ISO.fullmatch(each) for each in texts):
        return "iso"
    if texts and all(_SECONDS.fullmatch(each) for each in texts):
        return "unix"
    found = [match for match in map(_THREE.fullmatch, texts) if match]
    if any(int(match[2]) > 12 for match in found):
        return "mdy"
    return "dmy" if found else "iso"
