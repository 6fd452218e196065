"""Whom the demo house asks to join: prospects with what was said, invitations, a partner's introduction, and two partners who may want to
meet. One next step is overdue, one guest would rather have something else."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo.people import ACCOUNT_MANAGER, ACCOUNT_MANAGER_TOO, PARTNER, PARTNER_CODE
from partners import counters, introductions, invitation_rows, invitations, prospects
from partners.choices import Channel, ProspectStage, TouchKind
from partners.invitations import Guest
from partners.models import Membership, Prospect
from partners.prospects import Introduced
from prm.lib.periods import local_day
from tiers.models import Program

MEETS = "UK-33"  # an agency that asked for somebody who writes


def fill(programs: dict[str, Program], *, now: datetime) -> int:
    """Bring in the list of possible partners; return how long it is."""
    _identified(programs, now=now)
    _overdue(programs, now=now)
    _in_talks(programs, now=now)
    _invited(programs, now=now)
    _countered(programs, now=now)
    _lost(programs, now=now)
    _introduced(now=now)
    return Prospect.objects.count()


def _identified(programs: dict[str, Program], *, now: datetime) -> None:
    prospects.add(
        program=programs["agencies"],
        full_name="Chidi Eze",
        company="Bramble and Fern",
        email="chidi@brambleandfern.example",
        country="United Kingdom",
        source=Channel.EVENT,
        source_note="Autumn fair, stand 14",
        next_touch_on=local_day(now, programs["agencies"].zone) + timedelta(days=2),
        by=ACCOUNT_MANAGER.user(),
        at=now - timedelta(days=9),
    )


def _overdue(programs: dict[str, Program], *, now: datetime) -> None:
    program, manager = programs["affiliates"], ACCOUNT_MANAGER.user()
    prospect = prospects.add(
        program=program,
        full_name="Sophie Lacroix",
        company="Atelier Lumen",
        email="sophie@atelierlumen.example",
        website="https://atelierlumen.example",
        country="France",
        language="fr",
        source=Channel.LINKEDIN,
        by=manager,
        at=now - timedelta(days=21),
    )
    prospects.touch(
        prospect,
        kind=TouchKind.EMAIL,
        text="Wrote about the autumn guide. She asks for the rates after her holiday.",
        next_touch_on=local_day(now, program.zone) - timedelta(days=3),
        by=manager,
        at=now - timedelta(days=17),
    )


def _in_talks(programs: dict[str, Program], *, now: datetime) -> None:
    program, manager = programs["distributors"], ACCOUNT_MANAGER_TOO.user()
    prospect = prospects.add(
        program=program,
        full_name="Agnieszka Kowalczyk",
        company="Kowalczyk Upominki",
        email="agnieszka@kowalczykupominki.example",
        phone="+48 58 000 01 81",
        country="Poland",
        language="pl",
        source=Channel.WEBSITE,
        competes_with="Poland Distribution",
        by=manager,
        at=now - timedelta(days=33),
    )
    said = (
        (TouchKind.CALL, 30, "Two warehouses, eight people on the road. Knows Poland Distribution well."),
        (TouchKind.MEETING, 12, "Showed the spring range in Leicester. Wants the north of the country only."),
    )
    for kind, days, text in said:
        due = local_day(now, program.zone) + timedelta(days=5) if days == 12 else None
        prospects.touch(
            prospect, kind=kind, text=text, next_touch_on=due, by=manager, at=now - timedelta(days=days)
        )
    prospects.move(prospect, stage=ProspectStage.IN_TALKS, by=manager, at=now - timedelta(days=12))


def _invited(programs: dict[str, Program], *, now: datetime) -> None:
    program, manager = programs["agencies"], ACCOUNT_MANAGER.user()
    prospects.add(
        program=program,
        full_name="Mei-Ling Tan",
        company="Harbour and Pine",
        email="meiling@harbourandpine.example",
        country="Singapore",
        source=Channel.EVENT,
        by=manager,
        at=now - timedelta(days=25),
    )
    guest = Guest(
        email="meiling@harbourandpine.example",
        full_name="Mei-Ling Tan",
        company="Harbour and Pine",
        message="It was good to meet you at the fair. Here is what we spoke about.",
        addendum="Orders for the hotels in Singapore are invoiced in pounds and delivered to your warehouse free of charge.",
    )
    tier = program.tiers.get(key="silver")
    invitations.invite(program, guest=guest, tier=tier, by=manager, at=now - timedelta(days=6))


def _countered(programs: dict[str, Program], *, now: datetime) -> None:
    program, manager = programs["influencers"], ACCOUNT_MANAGER_TOO.user()
    guest = Guest(
        email="rodrigo@varandaverde.example",
        full_name="Rodrigo Alves",
        company="Varanda Verde",
        message="We like your balconies and would love to see our lanterns on one of them.",
    )
    tier = program.tiers.by_rank()[0]
    invitation = invitations.invite(program, guest=guest, tier=tier, by=manager, at=now - timedelta(days=8))
    counters.to_invitation(
        invitation_rows.word_of(invitation),
        text="I would join in Silver: last spring I sold 900 lanterns for somebody else within a month.",
        at=now - timedelta(days=1),
    )


def _lost(programs: dict[str, Program], *, now: datetime) -> None:
    manager = ACCOUNT_MANAGER.user()
    prospect = prospects.add(
        program=programs["affiliates"],
        full_name="Erik Sandvik",
        company="Nordlys Blogg",
        email="erik@nordlysblogg.example",
        country="Norway",
        source=Channel.SOCIAL,
        by=manager,
        at=now - timedelta(days=60),
    )
    text = "Writes for another wholesaler until next summer. Ask again then."
    prospects.touch(prospect, kind=TouchKind.CALL, text=text, by=manager, at=now - timedelta(days=50))
    prospects.move(prospect, stage=ProspectStage.LOST, by=manager, at=now - timedelta(days=50))


def _introduced(*, now: datetime) -> None:
    """Let the demo partner introduce somebody, and ask it and an agency whether they want to meet."""
    rows = Membership.objects.select_related("partner", "program")
    own, other = rows.get(codes__code=PARTNER_CODE), rows.get(codes__code=MEETS)
    known = Introduced(
        full_name="Leila Farouk",
        company="The Wrapping Hour",
        email="leila@thewrappinghour.example",
        why="She writes about wrapping and asks me every year whom we order from.",
        agreed=True,
    )
    prospects.introduce(own, known, by=PARTNER.user(), at=now - timedelta(days=3))
    introductions.propose(
        own.partner,
        other.partner,
        reason="The agency looks for somebody who writes about gifts for offices; Northwind plans a series on them.",
        by=ACCOUNT_MANAGER.user(),
        at=now - timedelta(days=4),
    )
