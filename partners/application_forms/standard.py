"""The form a program has until somebody publishes one of its own: short, and made for its kind of partnership. Only name, e-mail and
phone have to be answered; a company that sells for us says which one it is."""

from __future__ import annotations

from collections.abc import Sequence

from partners.application_forms.definition import AUDIENCE, STANDARD, YOU, Choice, Definition, Question
from tiers.choices import PartnershipType
from tiers.models import Program

_SERVICES = (
    ("advice", "Advice", "Conseil", "Doradztwo"),
    ("setting_up", "Setting up and training", "Mise en place et formation", "Wdrożenia i szkolenia"),
    ("marketing", "Marketing", "Marketing", "Marketing"),
    ("development", "Development", "Développement", "Programowanie"),
    ("resale", "Resale", "Revente", "Odsprzedaż"),
    ("support", "Support", "Assistance", "Wsparcie techniczne"),
)
_ACQUAINTANCE = (
    ("customer", "I am a customer", "Je suis client", "Korzystam z waszych produktów"),
    ("adviser", "I advise companies", "Je conseille des entreprises", "Doradzam firmom"),
    ("colleague", "Through my work", "Par mon travail", "Z pracy"),
    ("other", "In another way", "Autrement", "Inaczej"),
)


def standard_for(program: Program) -> Definition:
    """Return the standard form of a program's kind of partnership."""
    kind = PartnershipType(program.partnership_type)
    return Definition(questions=(*_about_you(kind), *_audience(kind)), partnership_types=(kind.value,))


def _about_you(kind: PartnershipType) -> tuple[Question, ...]:
    stands_for_a_company = kind in (PartnershipType.DISTRIBUTOR, PartnershipType.AGENCY)
    return (
        _ours("full_name", step=YOU, required=True),
        _ours("email", step=YOU, required=True),
        _ours("phone", step=YOU, required=True),
        _ours("company", step=YOU, required=stands_for_a_company),
        _ours("country", step=YOU),
    )


def _audience(kind: PartnershipType) -> tuple[Question, ...]:
    match kind:
        case PartnershipType.AFFILIATE:
            return (_ours("website"), _ours("audience"), _ours("how_promote"))
        case PartnershipType.REFERRAL:
            return (
                _own(
                    "acquaintance",
                    "choice",
                    "How do you know us?",
                    "D’où nous connaissez-vous ?",
                    "Skąd nas znasz?",
                    choices=_ACQUAINTANCE,
                ),
                _own(
                    "contacts",
                    "long_text",
                    "Whom could you recommend us to?",
                    "À qui pourriez-vous nous recommander ?",
                    "Komu możesz nas polecić?",
                    most=1000,
                ),
                _ours("website"),
            )
        case PartnershipType.INFLUENCER:
            return (
                _ours("channels"),
                _own(
                    "topics",
                    "text",
                    "What are your channels about?",
                    "De quoi parlent vos canaux ?",
                    "O czym są Twoje kanały?",
                    most=200,
                ),
                _ours("how_promote"),
            )
        case PartnershipType.DISTRIBUTOR:
            return (
                _own(
                    "territory",
                    "text",
                    "Where do you sell?",
                    "Où vendez-vous ?",
                    "Gdzie prowadzisz sprzedaż?",
                    most=300,
                    help=(
                        "Countries or regions.",
                        "Des pays ou des régions.",
                        "Kraje lub regiony.",
                    ),
                ),
                _own(
                    "sells_now",
                    "long_text",
                    "What do you sell now?",
                    "Que vendez-vous aujourd’hui ?",
                    "Co teraz sprzedajesz?",
                    most=1000,
                ),
                _own(
                    "sales_people",
                    "number",
                    "How many people sell for you?",
                    "Combien de personnes vendent pour vous ?",
                    "Ile osób u Ciebie sprzedaje?",
                    least=0,
                    most=100_000,
                ),
                _ours("website"),
                _ours("references"),
            )
        case PartnershipType.AGENCY:
            return (
                _own(
                    "services",
                    "multiple",
                    "What do you do for your clients?",
                    "Que faites-vous pour vos clients ?",
                    "Co robisz dla swoich klientów?",
                    choices=_SERVICES,
                ),
                _own(
                    "clients",
                    "number",
                    "How many clients do you have?",
                    "Combien de clients avez-vous ?",
                    "Ilu masz klientów?",
                    least=0,
                    most=1_000_000,
                ),
                _ours("website"),
                _ours("references"),
            )


def _ours(key: str, *, step: str = AUDIENCE, required: bool = False) -> Question:
    return Question(key=key, kind=STANDARD, step=step, required=required)


def _own(
    key: str,
    kind: str,
    english: str,
    french: str,
    polish: str,
    *,
    help: tuple[str, str, str] = ("", "", ""),
    choices: Sequence[tuple[str, str, str, str]] = (),
    least: int | None = None,
    most: int | None = None,
) -> Question:
    return Question(
        key=key,
        kind=kind,
        step=AUDIENCE,
        label=_in_three(english, french, polish),
        help=_in_three(*help),
        choices=tuple(Choice(value, _in_three(*label)) for value, *label in choices),
        least=least,
        most=most,
    )


def _in_three(english: str, french: str, polish: str) -> dict[str, str]:
    given = {"en": english, "fr": french, "pl": polish}
    return {language: text for language, text in given.items() if text}
