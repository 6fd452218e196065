"""The application form the demo's affiliates fill in: one of the house's own, with answers that propose a tier, a file and references. The
other programs ask by the standard form."""

from __future__ import annotations

from datetime import datetime

from demo.people import ADMINISTRATOR
from partners.application_forms import publishing
from partners.application_forms.definition import AUDIENCE, STANDARD, YOU, Choice, Definition, Question
from partners.models import FormVersion
from tiers.models import Program

READERS = (
    Choice(
        "few", {"en": "Fewer than 10,000", "fr": "Moins de 10 000", "pl": "Mniej niż 10 000"}, "registered"
    ),
    Choice("some", {"en": "10,000 to 50,000", "fr": "De 10 000 à 50 000", "pl": "Od 10 000 do 50 000"}),
    Choice("many", {"en": "More than 50,000", "fr": "Plus de 50 000", "pl": "Ponad 50 000"}, "silver"),
)
TOPICS = (
    Choice("gifts", {"en": "Gifts", "fr": "Cadeaux", "pl": "Prezenty"}),
    Choice("home", {"en": "Home and kitchen", "fr": "Maison et cuisine", "pl": "Dom i kuchnia"}),
    Choice("crafts", {"en": "Crafts", "fr": "Loisirs créatifs", "pl": "Rękodzieło"}),
    Choice("other", {"en": "Something else", "fr": "Autre chose", "pl": "Coś innego"}),
)
DEFINITION = Definition(
    partnership_types=("affiliate",),
    call_to_action={"en": "Write with us", "fr": "Écrire avec nous", "pl": "Pisz z nami"},
    introduction={
        "en": "A person reads every application.",
        "fr": "Chaque candidature est lue par une personne.",
        "pl": "Każde zgłoszenie czyta człowiek.",
    },
    questions=(
        *(Question(key, STANDARD, YOU, required=True) for key in ("full_name", "email", "phone")),
        *(Question(key, STANDARD, YOU) for key in ("company", "country", "street", "postcode", "town")),
        Question("website", STANDARD, AUDIENCE, required=True),
        Question(
            "readers",
            "choice",
            AUDIENCE,
            required=True,
            label={
                "en": "How many people read you in a month?",
                "fr": "Combien de personnes vous lisent par mois ?",
                "pl": "Ile osób czyta Cię w miesiącu?",
            },
            choices=READERS,
        ),
        Question(
            "topics",
            "multiple",
            AUDIENCE,
            label={
                "en": "What do you write about?",
                "fr": "Sur quoi écrivez-vous ?",
                "pl": "O czym piszesz?",
            },
            choices=TOPICS,
        ),
        Question("how_promote", STANDARD, AUDIENCE, required=True),
        Question(
            "media_kit",
            "file",
            AUDIENCE,
            label={"en": "Media kit", "fr": "Dossier de presse", "pl": "Materiały dla reklamodawców"},
            help={
                "en": "Figures of the last three months, if you have them.",
                "fr": "Les chiffres des trois derniers mois, si vous les avez.",
                "pl": "Liczby z ostatnich trzech miesięcy, jeśli je masz.",
            },
        ),
        Question("references", STANDARD, AUDIENCE, least=0),
    ),
)


def publish(program: Program, *, at: datetime) -> FormVersion:
    """Put the form into use."""
    administrator = ADMINISTRATOR.user()
    version = publishing.draft(program, definition=DEFINITION, by=administrator, at=at)
    return publishing.publish(version, by=administrator, at=at)
