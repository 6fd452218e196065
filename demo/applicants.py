"""Who applies in the demo, and how: by the same steps as on the page, from the first answer to the confirmed mailbox. All people and
companies are made up."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.files import File

from partners import applications, arrivals, drafts, sending, terms, tokens, uploads
from partners.application_forms.definition import read
from partners.models import Application, RecruitingLink
from tiers.models import Program


@dataclass(frozen=True)
class Applicant:
    """A made-up person; `days` is how long ago they applied, `link` the word of the link they came by."""

    program: str
    days: int
    full_name: str
    email: str
    phone: str
    company: str
    website: str
    country: str
    how_promote: str
    link: str = ""
    language: str = "en"
    audience: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    has_file: bool = False
    confirms: bool = True

    def answers(self) -> dict[str, Any]:
        own = ("full_name", "email", "phone", "company", "website", "country", "how_promote", "audience")
        return {**{name: getattr(self, name) for name in own}, **self.more}


def apply(person: Applicant, program: Program, *, link: RecruitingLink | None, at: datetime) -> Application:
    """Let somebody fill in the form of a program and send it at `at`; most confirm the mailbox soon after."""
    draft, token = fill_in(person, program, link=link, at=at - timedelta(minutes=12))
    sending.receive(token, terms=terms.in_force(program, at), at=at)
    application = Application.objects.get(pk=draft.pk)
    if person.confirms:
        confirmed_at = at + timedelta(minutes=9)
        found = applications.confirm_email(tokens.status_token(application), confirmed_at)
        application = found or application
        arrivals.receive(application, at=confirmed_at)
    return Application.objects.get(pk=draft.pk)


def fill_in(
    person: Applicant, program: Program, *, link: RecruitingLink | None, at: datetime, steps: int = 9
) -> tuple[Application, str]:
    """Let somebody answer the first `steps` steps of a form, and return the draft with its word."""
    draft, token = drafts.begin(program, at=at, language=person.language, link=link)
    assert draft.form is not None  # noqa: S101 - every draft begins with a form
    definition, given = read(draft.form.definition), person.answers()
    for step in definition.steps()[:-1][:steps]:
        asked = definition.asked(partnership_type=draft.partnership_type, step=step)
        wanted = [question for question in asked if question.kind == "file"] if person.has_file else []
        draft = drafts.save(
            draft,
            definition=definition,
            step=step,
            cleaned={question.key: given[question.key] for question in asked if question.key in given},
            files={question.key: [_media_kit()] for question in wanted},
            language=person.language,
            at=at,
        )
    return draft, token


def _media_kit() -> uploads.Upload:
    """Return a small document with one empty page."""
    parts = (
        b"%PDF-1.4",
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj",
        b"trailer<</Root 1 0 R>>",
        b"%%EOF",
    )
    return uploads.checked(File(io.BytesIO(b"\n".join(parts)), name="media-kit.pdf"))


_WRITES = "We compare gifts for small shops, two articles a month and a newsletter on Sundays."
_SHOWS = "A short film for each season, with the things on our own table and the code in the first line."
_READERS = {"readers": "some", "topics": ["gifts", "home"]}

# Decided weeks ago. What became of each stands in demo/recruiting.py.
DECIDED = (
    Applicant("affiliates", 38, "Ngozi Adeyemi", "ngozi@paperlantern.example", "+44 20 7946 0611", "Paper Lantern",
              "https://paperlantern.example", "United Kingdom", _WRITES, "linkedin-autumn",
              more={"readers": "many", "topics": ["gifts"]}),
    Applicant("affiliates", 31, "Rafael Moura", "rafael@casadoces.example", "+351 21 000 0123", "Casa Doces",
              "https://casadoces.example", "Portugal", _WRITES, "newsletter", more=_READERS),
    Applicant("affiliates", 24, "Lotte de Vries", "lotte@kadowijzer.example", "+31 20 000 0144", "Kadowijzer",
              "https://kadowijzer.example", "Netherlands", _WRITES, "northwind", more=_READERS),
    Applicant("affiliates", 22, "Vince Crole", "vince@couponflood.example", "+44 20 7946 0622", "Coupon Flood",
              "https://couponflood.example", "United Kingdom", "Coupons.", "newsletter", more={"readers": "many"}),
    Applicant("agencies", 17, "Yuki Tanabe", "yuki@threewishes.example", "+44 20 7946 0633", "Three Wishes",
              "https://threewishes.example", "United Kingdom", "", "linkedin-agencies",
              more={"services": ["advice", "marketing"], "clients": 34}),
    Applicant("influencers", 15, "Dele Martins", "dele@kettleandco.example", "+44 20 7946 0644", "Kettle and Co",
              "", "United Kingdom", _SHOWS, more={"topics": "Tea, tables, small kitchens"}),
)  # fmt: skip

# Nobody has decided on these.
WAITING = (
    Applicant("affiliates", 13, "Ivo Marek", "ivo@kitelabs.example", "+420 200 000 155", "Kite Labs",
              "https://kitelabs.example", "Czech Republic", _WRITES, "newsletter", more=_READERS),
    Applicant("affiliates", 1, "Camille Roux", "camille@veloconseil.example", "+33 1 99 00 12 34", "Vélo Conseil",
              "https://veloconseil.example", "France",
              "Nous comparons des cadeaux pour les petites boutiques, deux articles par mois et une lettre le dimanche.",
              "linkedin-autumn", "fr", has_file=True,
              more={"readers": "many", "topics": ["gifts", "crafts"], "street": "Quai des Brumes 4", "postcode": "44000",
                    "town": "Nantes",
                    "references": [{"full_name": "Bastien Lemoine", "company": "Papeterie du Quai",
                                    "email": "bastien@papeterieduquai.example", "relation": "Client depuis 2021"}]}),
    Applicant("affiliates", 2, "Jonas Okafor", "jonas@giftatlas.example", "+49 30 000 0166", "Gift Atlas",
              "https://giftatlas.example", "Germany", _WRITES, "linkedin-autumn", more=_READERS, confirms=False),
    Applicant("affiliates", 3, "Samira Haddou", "samira@northwind-media.example", "+44 20 7946 0677",
              "Northwind Reviews", "https://northwind.example", "United Kingdom", _WRITES, more=_READERS),
    Applicant("affiliates", 2, "Pat Quill", "topdeals@mailinator.com", "+44 20 7946 0688", "Top Deals",
              "https://topdeals.example", "United Kingdom", "Banners.", more={"readers": "many"}),
    Applicant("affiliates", 4, "Priya Raman", "priya@slowparcels.example", "+44 20 7946 0699", "Slow Parcels",
              "https://slowparcels.example", "United Kingdom", _WRITES, "northwind", more=_READERS),
    Applicant("affiliates", 6, "Marta Zielińska", "marta@prezentownik.example", "+48 22 000 01 70", "Prezentownik",
              "https://prezentownik.example", "Poland",
              "Poradniki prezentowe przed świętami i stały dział z rzeczami do kuchni.", "newsletter", "pl",
              more={"readers": "some", "topics": ["gifts", "home"]}),
    Applicant("influencers", 2, "Hanna Ziegler", "hanna@teaatfour.example", "+49 30 000 0171", "Tea at Four", "",
              "Germany", _SHOWS, more={"topics": "Tea and baking"}),
    Applicant("influencers", 1, "Tomoko Brandão", "tomoko@lanternyard.example", "+351 21 000 0172", "Lantern Yard",
              "", "Portugal", _SHOWS, more={"topics": "Balconies"}),
    Applicant("agencies", 5, "Adaeze Nwosu", "adaeze@brightribbon.example", "+44 20 7946 0673", "Bright Ribbon",
              "https://brightribbon.example", "United Kingdom", "", "linkedin-agencies",
              more={"services": ["advice", "resale"], "clients": 58,
                    "references": [{"full_name": "Gareth Pryce", "company": "Pryce Stationers",
                                    "email": "gareth@prycestationers.example", "relation": "Supplier since 2019"}]}),
)  # fmt: skip

# Begun and left: how many steps they went, and by which link.
LEFT = (("affiliates", 26, 0, "linkedin-autumn"), ("affiliates", 19, 1, "newsletter"), ("affiliates", 11, 1, ""),
        ("affiliates", 8, 0, "linkedin-autumn"), ("affiliates", 3, 1, "linkedin-autumn"),
        ("agencies", 9, 1, "linkedin-agencies"), ("influencers", 6, 0, ""))  # fmt: skip
