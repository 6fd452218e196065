"""How the demo's partners live with the house: addresses and numbers, a team, first steps, material, new terms, things to agree on, somebody
stopped and somebody leaving. None of it touches what the year's sales have earned."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from demo.people import ACCOUNT_MANAGER, ADMINISTRATOR, PARTNER, PARTNER_CODE, PASSWORD
from demo.programs import SHOP
from partners import (
    amendments,
    clause_questions,
    launching,
    leaving,
    leaving_rules,
    onboarding,
    profiles,
    resources,
    team,
    terms,
    terms_asking,
    waiting_list,
)
from partners.choices import (
    EndingKind,
    LegalForm,
    OnboardingKind,
    ResourceKind,
    SanctionReason,
    TeamRole,
    TermsSection,
)
from partners.models import Membership, OnboardingStep, TermsVersion
from prm.accounts import people
from prm.accounts.models import User
from prm.lib.periods import local_day, start_of_day
from tiers.models import Program

STOPPED, LEAVES = "UK-07", "UK-12"
ACCEPTED = ("UK-01", "UK-04", "UK-09")  # who has read the new terms already
CLOSED = "distributors"
# Streets that do not exist, and VAT numbers whose check digits are right.
PROFILES: dict[str, dict[str, str]] = {
    "DIST-FRANCE": {"legal_name": "Distribution Hexagone SARL", "street": "Rue des Cerfs-volants", "building_number": "8",
                    "postcode": "69003", "town": "Lyon", "vat_number": "FR12987655164", "language": "fr"},
    "DIST-POLAND": {"legal_name": "Dystrybucja Bursztyn Sp. z o.o.", "street": "ul. Latawcowa", "building_number": "21",
                    "postcode": "80-001", "town": "Gdańsk", "vat_number": "PL9998877001", "language": "pl"},
    "DIST-BELGIUM": {"legal_name": "Kadoverdeling BV", "street": "Vliegerstraat", "building_number": "3",
                     "postcode": "9000", "town": "Gent", "vat_number": "BE0999887084"},
    "DIST-NETHERLANDS": {"legal_name": "Vliegerhuis Groothandel BV", "street": "Vliegerkade", "building_number": "40",
                         "postcode": "1019 AB", "town": "Amsterdam", "vat_number": "NL998877001B01"},
    "DIST-ITALY": {"legal_name": "Aquilone Distribuzione S.r.l.", "street": "Via degli Aquiloni", "building_number": "5",
                   "postcode": "20121", "town": "Milano", "vat_number": "IT99988770014"},
    "UK-33": {"legal_name": "Marigold Gifting Ltd", "street": "Kite Lane", "building_number": "11",
              "postcode": "M1 1AE", "town": "Manchester", "vat_number": "GB731450016"},
    "UK-21": {"legal_name": "Foxglove Introductions Ltd", "street": "Lantern Row", "building_number": "2",
              "postcode": "LS1 4AP", "town": "Leeds", "vat_number": "GB842610001"},
    "UK-01": {"legal_name": "Teasel Press Ltd", "street": "Ribbon Street", "building_number": "77",
              "postcode": "EH1 1BB", "town": "Edinburgh", "vat_number": "GB655020018"},
}  # fmt: skip
TEAM = (
    ("tomasz@northwind.example", "Tomasz Wilk", TeamRole.FINANCE),
    ("aisha@northwind.example", "Aisha Bello", TeamRole.MARKETING),
    ("oliver@northwind.example", "Oliver Grant", TeamRole.READ_ONLY),
)
WAITS = (
    ("jelena@balkanpokloni.example", "en"),
    ("hugo@cadeauxdunord.example", "fr"),
    ("ewa@upominkiewa.example", "pl"),
)
TRAINING = {
    "en": "Watch the half-hour welcome",
    "fr": "Regarder la demi-heure de bienvenue",
    "pl": "Obejrzyj półgodzinne powitanie",
}
HELP = {
    "en": "What sells when, and how to show it.",
    "fr": "Ce qui se vend à quel moment, et comment le montrer.",
    "pl": "Co się kiedy sprzedaje i jak to pokazać.",
}
MATERIAL = (
    (ResourceKind.GUIDE, "Season calendar", "What is ordered in which weeks.", "", "partners/calendar"),
    (ResourceKind.LOGO, "Logos and colours", "For light and for dark pages.", "", "partners/logos"),
    (ResourceKind.TEXT, "Textes à reprendre", "Trois longueurs, à adapter.", "fr", "partners/textes"),
    (ResourceKind.TEXT, "Gotowe teksty", "W trzech długościach.", "pl", "partners/teksty"),
)


def fill(programs: dict[str, Program], *, now: datetime, last_order: datetime) -> int:
    """Bring in what partners and house have done besides selling; return how many partners it is about."""
    for code, values in PROFILES.items():
        _profile(code, values, at=now - timedelta(days=70))
    add_team(at=now - timedelta(days=45))
    for program in programs.values():
        _help(program, at=now - timedelta(days=60))
    _tick(at=now - timedelta(days=40))
    _new_terms(programs["affiliates"], now=now)
    _agree(now=now)
    _stop_and_leave(now=now, last_order=last_order)
    _close(programs[CLOSED], now=now)
    return Membership.objects.count()


def membership_of(code: str) -> Membership:
    """Return the membership that has a code."""
    return Membership.objects.select_related("partner", "program").get(codes__code=code)


def _owner(membership: Membership) -> User:
    return membership.partner.members.current().select_related("user").get(role=TeamRole.OWNER).user


def _profile(code: str, values: dict[str, str], *, at: datetime) -> None:
    partner = membership_of(code).partner
    changes: dict[str, Any] = {"legal_form": LegalForm.COMPANY, **values}
    profiles.change(partner, changes, by=ACCOUNT_MANAGER.user(), at=at)


def add_team(*, at: datetime) -> None:
    """Give the demo partner colleagues, each with a role; one has not answered yet."""
    partner, owner = membership_of(PARTNER_CODE).partner, PARTNER.user()
    for email, name, role in TEAM:
        _invitation, word = team.invite(partner, email=email, full_name=name, role=role, by=owner, at=at)
        user = people.open_account(
            email=email, full_name=name, password=PASSWORD, proven=True, time_zone="Europe/London", at=at
        )
        team.accept(word, user=user, at=at + timedelta(hours=3))
    team.invite(
        partner,
        email="jun@northwind.example",
        full_name="Jun Sato",
        role=TeamRole.SALES,
        by=owner,
        at=at + timedelta(days=43),
    )


def _help(program: Program, *, at: datetime) -> None:
    administrator = ADMINISTRATOR.user()
    onboarding.add_step(
        program,
        kind=OnboardingKind.TRAINING,
        title=TRAINING,
        help_text=HELP,
        url=f"{SHOP}partners/welcome",
        by=administrator,
        at=at,
    )
    for kind, title, description, language, path in MATERIAL:
        resources.add(
            program,
            kind=kind,
            title=title,
            description=description,
            language=language,
            url=f"{SHOP}{path}",
            by=administrator,
            at=at,
        )


def _tick(*, at: datetime) -> None:
    for code in (*ACCEPTED, "UK-02"):
        member = membership_of(code)
        step = OnboardingStep.objects.get(program=member.program, kind=OnboardingKind.TRAINING)
        onboarding.tick(member, step, by=_owner(member), at=at)


def _new_terms(program: Program, *, now: datetime) -> None:
    """Announce another version; a few have accepted it, and the demo partner asks about it."""
    administrator, published_at = ADMINISTRATOR.user(), now - timedelta(days=11)
    version = terms.draft_from_current(program, by=administrator, at=published_at)
    terms.edit(
        version,
        values={
            "what_counts": "An order counts when the buyer used your code, or followed your link within the 30 days before. Orders "
            "that came by an advertisement on our name do not count.",
            "support": "Your account manager answers within one working day. Material is in the portal.",
        },
        by=administrator,
        at=published_at,
    )
    in_force_on = local_day(published_at, program.zone) + timedelta(days=version.notice_days + 2)
    version = terms.publish(
        TermsVersion.objects.get(pk=version.pk),
        effective_at=start_of_day(in_force_on, program.zone),
        by=administrator,
        at=published_at,
    )
    terms_asking.tell(version.pk, at=published_at)
    for days, code in enumerate(ACCEPTED, start=3):
        member = membership_of(code)
        terms.agree(
            version,
            membership=member,
            shown=version.sha256,
            by=_owner(member),
            at=published_at + timedelta(days=days),
        )
    clause_questions.ask(
        membership_of(PARTNER_CODE),
        version=version,
        section=TermsSection.WHAT_COUNTS,
        text="We run a small campaign on “northwind gifts halden”. Does that count as an advertisement on your name?",
        by=PARTNER.user(),
        at=now - timedelta(days=2),
    )


def _agree(*, now: datetime) -> None:
    member = membership_of(PARTNER_CODE)
    amendments.propose(
        member,
        title="Office gift series",
        text="Northwind publishes six articles on gifts for offices between January and March. We send the goods for the pictures free of "
        "charge, and Northwind may keep them.",
        effective_on=local_day(now, member.program.zone) + timedelta(days=30),
        by=ACCOUNT_MANAGER.user(),
        at=now - timedelta(days=1),
    )


def _stop_and_leave(*, now: datetime, last_order: datetime) -> None:
    """Suspend one partner after the last order, so that every credit of the year stands, and give notice to another one."""
    leaving.suspend(
        membership_of(STOPPED),
        reason=SanctionReason.FAKE_TRAFFIC,
        note="Nine of ten clicks of last week came from one network. Please tell us what happened.",
        by=ACCOUNT_MANAGER.user(),
        at=max(last_order + timedelta(minutes=1), now - timedelta(days=2)),
    )
    leaves, at = membership_of(LEAVES), now - timedelta(days=5)
    leaving.give_notice(
        leaves,
        kind=EndingKind.TERMINATED,
        reason=SanctionReason.INACTIVE,
        note="Your site has shown nothing new for a year.",
        effective_at=leaving_rules.earliest_end(leaves, SanctionReason.INACTIVE, at=at),
        by=ACCOUNT_MANAGER.user(),
        at=at,
    )


def _close(program: Program, *, now: datetime) -> None:
    """Close a program for some weeks; a few want to hear when it opens."""
    closed_at = now - timedelta(days=14)
    reopens_on = local_day(now, program.zone) + timedelta(days=45)
    launching.close_program(program, reopens_on=reopens_on, by=ADMINISTRATOR.user(), at=closed_at)
    for days, (email, language) in enumerate(WAITS, start=2):
        waiting_list.ask(program, email=email, language=language, at=closed_at + timedelta(days=days))
