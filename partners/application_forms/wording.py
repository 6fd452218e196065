"""Our own questions in the languages we write forms in. A form that says nothing else asks them in these words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from partners.application_forms.definition import Question, Words


@dataclass(frozen=True, slots=True)
class Wording:
    """What a question of ours says: its label, and what helps to answer it."""

    label: Words
    help: Words = field(default_factory=dict)


WORDINGS: Mapping[str, Wording] = {
    "full_name": Wording({"en": "Your name", "fr": "Votre nom", "pl": "Imię i nazwisko"}),
    "email": Wording(
        {"en": "E-mail address", "fr": "Adresse e-mail", "pl": "Adres e-mail"},
        {
            "en": "We send the decision here.",
            "fr": "Nous y enverrons notre décision.",
            "pl": "Na ten adres wyślemy decyzję.",
        },
    ),
    "phone": Wording(
        {"en": "Phone", "fr": "Téléphone", "pl": "Telefon"},
        {
            "en": "With the country code. We call only when something about your application is unclear.",
            "fr": "Avec l’indicatif du pays. Nous n’appelons que si un point de votre candidature n’est pas clair.",
            "pl": "Z numerem kierunkowym kraju. Dzwonimy tylko, gdy coś w zgłoszeniu jest niejasne.",
        },
    ),
    "company": Wording(
        {
            "en": "Company or creator name",
            "fr": "Entreprise ou nom de créateur",
            "pl": "Firma lub nazwa twórcy",
        }
    ),
    "country": Wording(
        {"en": "Country", "fr": "Pays", "pl": "Kraj"},
        {"en": "Where you work from.", "fr": "D’où vous travaillez.", "pl": "Skąd prowadzisz działalność."},
    ),
    "street": Wording({"en": "Street and number", "fr": "Rue et numéro", "pl": "Ulica i numer"}),
    "postcode": Wording({"en": "Postcode", "fr": "Code postal", "pl": "Kod pocztowy"}),
    "town": Wording({"en": "Town", "fr": "Ville", "pl": "Miejscowość"}),
    "vat_number": Wording(
        {"en": "VAT number", "fr": "Numéro de TVA", "pl": "Numer VAT"},
        {
            "en": "With the country letters, such as GB123456789.",
            "fr": "Avec les lettres du pays, par exemple FR12345678901.",
            "pl": "Z literami kraju, na przykład PL1234567890.",
        },
    ),
    "website": Wording(
        {"en": "Website", "fr": "Site web", "pl": "Strona internetowa"},
        {
            "en": "Such as www.example.com.",
            "fr": "Par exemple www.example.com.",
            "pl": "Na przykład www.example.com.",
        },
    ),
    "channels": Wording(
        {"en": "Your channels", "fr": "Vos canaux", "pl": "Twoje kanały"},
        {
            "en": "Where people follow you, and about how many they are.",
            "fr": "Où l’on vous suit, et à peu près combien de personnes.",
            "pl": "Gdzie ludzie Cię obserwują i mniej więcej ilu ich jest.",
        },
    ),
    "audience": Wording(
        {"en": "Audience", "fr": "Public", "pl": "Odbiorcy"},
        {
            "en": "Who reads, watches or buys from you, and how many they are.",
            "fr": "Qui vous lit, vous regarde ou achète chez vous, et combien de personnes.",
            "pl": "Kto Cię czyta, ogląda lub u Ciebie kupuje i ile to osób.",
        },
    ),
    "how_promote": Wording(
        {
            "en": "How will you promote us?",
            "fr": "Comment nous ferez-vous connaître ?",
            "pl": "Jak będziesz nas promować?",
        },
        {
            "en": "Two or three sentences are enough.",
            "fr": "Deux ou trois phrases suffisent.",
            "pl": "Wystarczą dwa lub trzy zdania.",
        },
    ),
    "references": Wording(
        {"en": "References", "fr": "Références", "pl": "Referencje"},
        {
            "en": "People who work with you. We may write to them once and ask whether they know you.",
            "fr": "Des personnes qui travaillent avec vous. Nous pouvons leur écrire une fois pour demander si elles vous connaissent.",
            "pl": "Osoby, które z Tobą pracują. Możemy raz do nich napisać i zapytać, czy Cię znają.",
        },
    ),
}
_NOTHING = Wording({})


def label_of(question: Question) -> Words:
    """Return what a question is called: its own words, ours where it has none."""
    return question.label or WORDINGS.get(question.key, _NOTHING).label


def help_of(question: Question) -> Words:
    """Return what helps to answer a question; a form that renames a question of ours says its own help, or none."""
    if question.help or question.label:
        return question.help
    return WORDINGS.get(question.key, _NOTHING).help
