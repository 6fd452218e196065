"""The words the law wants on an invoice, in the language of the country it is written under: that it is self-billed, that the customer owes
the VAT, or why there is none (Directive 2006/112/EC, article 226 points 10a, 11 and 11a)."""

from __future__ import annotations

from dataclasses import dataclass

from payouts.choices import VatMode

# As the national language versions of the directive say it.
_SELF_BILLING = {
    "en": "Self-billing",
    "fr": "Autofacturation",
    "pl": "Samofakturowanie",
    "de": "Gutschrift",
    "es": "Facturación por el destinatario",
    "it": "Autofatturazione",
    "nl": "Factuur uitgereikt door afnemer",
    "pt": "Autofaturação",
}
_REVERSE_CHARGE = {
    "en": "Reverse charge",
    "fr": "Autoliquidation",
    "pl": "Odwrotne obciążenie",
    "de": "Steuerschuldnerschaft des Leistungsempfängers",
    "es": "Inversión del sujeto pasivo",
    "it": "Inversione contabile",
    "nl": "Btw verlegd",
    "pt": "Autoliquidação",
}
_SPOKEN = {"FR": "fr", "PL": "pl", "DE": "de", "AT": "de", "ES": "es", "IT": "it", "NL": "nl", "PT": "pt"}
_OUTSIDE = {
    "en": "Outside the scope of VAT",
    "fr": "Hors du champ d’application de la TVA",
    "pl": "Nie podlega opodatkowaniu VAT",
}
_EXEMPT = {
    "en": "Small business exempt from VAT (Directive 2006/112/EC, articles 282 to 292)",
    "fr": "Petite entreprise en franchise de TVA (directive 2006/112/CE, articles 282 à 292)",
    "pl": "Zwolnienie małego przedsiębiorcy z VAT (dyrektywa 2006/112/WE, art. 282–292)",
}
# Countries whose law words it itself; France has a code of its own.
_EXEMPT_HERE = {
    "FR": "TVA non applicable, art. 293 B du CGI",
    "PL": "Zwolnienie z VAT na podstawie art. 113 ustawy o VAT",
    "DE": "Kein Ausweis von Umsatzsteuer, § 19 UStG",
}
_FRENCH_TERMS = (
    ("PMT", "En cas de retard de paiement : indemnité forfaitaire de 40 € pour frais de recouvrement."),
    ("PMD", "Pénalités de retard : taux de refinancement de la BCE majoré de 10 points, sans rappel."),
    ("AAB", "Aucun escompte en cas de paiement anticipé."),
)


@dataclass(frozen=True, slots=True)
class NoVat:
    """The category of EN 16931 and why nothing is charged; both reasons are empty where VAT is charged."""

    category: str
    reason: str = ""
    code: str = ""


def self_billing(language: str, seller_country: str) -> str:
    """Return the mention that the customer wrote the invoice, in the reader's language and the seller's."""
    return _both(_SELF_BILLING, language, seller_country)


def no_vat(mode: VatMode, *, language: str, seller_country: str, reason: str = "") -> NoVat:
    """Return the category of VAT and, where none is charged, why."""
    if mode == VatMode.DOMESTIC:
        return NoVat("S")
    if mode == VatMode.REVERSE_CHARGE:
        words = _both(_REVERSE_CHARGE, language, seller_country)
        return NoVat("AE", reason or words, "VATEX-EU-AE")
    if mode == VatMode.EXEMPT:
        words = _EXEMPT_HERE.get(seller_country) or _EXEMPT.get(language, _EXEMPT["en"])
        return NoVat("E", reason or words, "VATEX-FR-FRANCHISE" if seller_country == "FR" else "")
    return NoVat("O", reason or _OUTSIDE.get(language, _OUTSIDE["en"]), "VATEX-EU-O")


def french_terms(*country_codes: str) -> tuple[tuple[str, str], ...]:
    """Return the terms of payment French law puts on an invoice, by their code, when a party is French."""
    return _FRENCH_TERMS if "FR" in country_codes else ()


def _both(words: dict[str, str], language: str, seller_country: str) -> str:
    spoken = _SPOKEN.get(seller_country, "en")
    found = dict.fromkeys((words.get(language, words["en"]), words[spoken]))
    return " / ".join(found)
