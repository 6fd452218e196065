"""What partners of the demo house learn and do: a certification with its course, lists of people with their credentials, activities that were
confirmed or wait, figures staff enters. The demo partner has 17 of its 23 people certified, and one of them for 43 days more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile

from demo.asked import RANGE, SEASONS
from demo.living import membership_of
from demo.people import ACCOUNT_MANAGER, PARTNER, PARTNER_CODE
from demo.programs import SHOP
from partners.certification import courses, credentials, learning, lessons, staff
from partners.choices import ActivityKind, LessonKind, StaffRole, TeamRole
from partners.engagement import activities, figures
from partners.engagement.told import Told
from partners.models import Certification, Course, Membership, Partner, Staff
from prm.accounts.models import User
from prm.lib.periods import local_day
from tiers.models import Program
from tiers.qualify.windows import months_before

LAPSES_IN = timedelta(days=43)
WITH_COURSES = ("affiliates", "agencies")
# The demo partner's people: name, e-mail where it is known, what they do. The first 17 are certified.
PEOPLE = (
    ("Ines Duarte", "ines", StaffRole.MANAGEMENT),
    ("Aisha Bello", "aisha", StaffRole.MARKETING),
    ("Nuno Matos", "nuno", StaffRole.SALES),
    ("Hanna Virtanen", "hanna", StaffRole.SALES),
    ("George Obi", "george", StaffRole.SALES),
    ("Lena Fischer", "lena", StaffRole.PRESALES),
    ("Samir Haddou", "samir", StaffRole.SALES),
    ("Yuki Mori", "yuki", StaffRole.SUPPORT),
    ("Clara Benet", "clara", StaffRole.SALES),
    ("Piotr Zając", "piotr", StaffRole.PRESALES),
    ("Maeve Byrne", "maeve", StaffRole.SUPPORT),
    ("Tariq Aziz", "", StaffRole.SALES),
    ("Signe Holm", "", StaffRole.SALES),
    ("Rosa Prieto", "", StaffRole.SUPPORT),
    ("Arjun Nair", "", StaffRole.PRESALES),
    ("Beth Collins", "", StaffRole.SALES),
    ("Viktor Lund", "", StaffRole.SUPPORT),
    ("Oliver Grant", "oliver", StaffRole.SALES),
    ("Mina Kovač", "mina", StaffRole.SALES),
    ("Jonas Weber", "jonas", StaffRole.SUPPORT),
    ("Fatou Diallo", "", StaffRole.SALES),
    ("Emil Novák", "", StaffRole.SUPPORT),
    ("Grace Osei", "", StaffRole.SALES),
)
CERTIFIED = 17
# How many people agencies have, and how many of them are certified.
AGENCIES = {
    "UK-31": (5, 4),
    "UK-32": (5, 3),
    "UK-33": (8, 6),
    "UK-34": (4, 1),
    "UK-35": (3, 0),
    "UK-36": (6, 5),
}
SCORES = {"UK-31": 64, "UK-32": 71, "UK-33": 82, "UK-36": 78}
# Shops each of them serves, and how many of those are also ours.
INSTALLED = {
    "DIST-EIRE": (58, 9),
    "DIST-NETHERLANDS": (64, 12),
    "DIST-GERMANY": (31, 4),
    "DIST-FRANCE": (45, 7),
}
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def _said(en: str, fr: str, pl: str) -> dict[str, str]:
    return {"en": en, "fr": fr, "pl": pl}


def _question(text: dict[str, str], *choices: tuple[dict[str, str], bool]) -> dict[str, Any]:
    return {"text": text, "choices": [{"text": words, "is_right": right} for words, right in choices]}


QUIZ = (
    _question(
        _said("Which of these is ordered in spring?", "Lequel se commande au printemps ?", "Co zamawia się wiosną?"),
        (_said("Kites", "Les cerfs-volants", "Latawce"), True),
        (_said("Fairy lights", "Les guirlandes", "Lampki"), False),
        (_said("Hot-water bottles", "Les bouillottes", "Termofory"), False),
    ),
    _question(
        _said("When is the last day to order for Christmas?", "Dernier jour de commande pour Noël ?",
              "Do kiedy zamawia się na święta?"),
        (_said("10 December", "Le 10 décembre", "10 grudnia"), True),
        (_said("20 December", "Le 20 décembre", "20 grudnia"), False),
    ),
    _question(
        _said("What do offices order by the box?", "Que commandent les bureaux par carton ?", "Co biura zamawiają kartonami?"),
        (_said("Mugs", "Des tasses", "Kubki"), True),
        (_said("Candles", "Des bougies", "Świece"), True),
        (_said("Garden chairs", "Des chaises de jardin", "Krzesła ogrodowe"), False),
    ),
)  # fmt: skip
RIGHT, TWO_OF_THREE = ((0,), (0,), (0, 1)), ((0,), (0,), (0,))


def teach(programs: dict[str, Program], *, now: datetime) -> None:
    """Open the courses and let people be certified, most of them twelve weeks ago."""
    for slug in WITH_COURSES:
        _range(programs[slug], at=now - timedelta(days=200))
    _seasons(programs["affiliates"], at=now - timedelta(days=60))
    _demo_partner(programs["affiliates"], now=now)
    for code, (many, certified) in AGENCIES.items():
        _agency(code, many, certified, now=now)


def _range(program: Program, *, at: datetime) -> Certification:
    by = ACCOUNT_MANAGER.user()
    made = courses.create_certification(
        program,
        key=RANGE,
        name=_said("Range adviser", "Conseiller de la gamme", "Doradca oferty"),
        description=_said(
            "Knows what is in the range, what sells when, and what to offer whom.",
            "Connaît la gamme, ce qui se vend à quel moment et à qui le proposer.",
            "Zna ofertę, wie, co się kiedy sprzedaje i komu co zaproponować.",
        ),
        valid_months=12,
        by=by,
        at=at,
    )
    title = _said("The range in an hour", "La gamme en une heure", "Oferta w godzinę")
    course = courses.create_course(made, title=title, pass_mark=75, by=by, at=at)
    lessons.add(
        course,
        kind=LessonKind.TEXT,
        title=_said("The year of a gift shop", "L'année d'une boutique", "Rok sklepu z upominkami"),
        body=_said(
            "Kites and garden things leave in spring, lights and ornaments from September on. Offices order mugs and candles by the "
            "box in November.\n\nWhoever wants a parcel before Christmas orders by 10 December.",
            "Cerfs-volants et jardin partent au printemps, guirlandes et décorations dès septembre. Les bureaux commandent tasses et "
            "bougies par carton en novembre.\n\nPour Noël, on commande jusqu'au 10 décembre.",
            "Latawce i rzeczy do ogrodu schodzą wiosną, lampki i ozdoby od września. Biura zamawiają kubki i świece kartonami w "
            "listopadzie.\n\nNa święta zamawia się do 10 grudnia.",
        ),
        by=by,
        at=at,
    )
    lessons.add(
        course,
        kind=LessonKind.VIDEO,
        title=_said("A walk through the warehouse", "Visite de l'entrepôt", "Spacer po magazynie"),
        url=f"{SHOP}partners/warehouse",
        by=by,
        at=at,
    )
    lessons.add(
        course,
        kind=LessonKind.QUIZ,
        title=_said("What sells when", "Ce qui se vend à quel moment", "Co się kiedy sprzedaje"),
        questions=QUIZ,
        by=by,
        at=at,
    )
    courses.open_course(course, by=by, at=at)
    return made


def _seasons(program: Program, *, at: datetime) -> None:
    """Add a second certification that nobody has yet; a diploma of a trade school is taken for it as well."""
    by = ACCOUNT_MANAGER.user()
    made = courses.create_certification(
        program,
        key=SEASONS,
        name=_said("Season planner", "Planificateur de saisons", "Planista sezonów"),
        roles=[StaffRole.MARKETING, StaffRole.MANAGEMENT],
        valid_months=24,
        takes_proof=True,
        by=by,
        at=at,
    )
    title = _said("Planning a season", "Planifier une saison", "Planowanie sezonu")
    course = courses.create_course(made, title=title, pass_mark=60, by=by, at=at)
    lessons.add(
        course,
        kind=LessonKind.TEXT,
        title=_said("Twelve weeks ahead", "Douze semaines à l'avance", "Dwanaście tygodni naprzód"),
        body=_said(
            "Pictures and texts are with you twelve weeks before a season begins. Publish the first piece eight weeks before.",
            "Images et textes vous parviennent douze semaines avant la saison. Publiez le premier article huit semaines avant.",
            "Zdjęcia i teksty są u Was dwanaście tygodni przed sezonem. Pierwszy tekst opublikujcie osiem tygodni przed nim.",
        ),
        by=by,
        at=at,
    )
    lessons.add(
        course,
        kind=LessonKind.QUIZ,
        title=_said("Your plan", "Votre plan", "Wasz plan"),
        questions=QUIZ[:2],
        by=by,
        at=at,
    )
    courses.open_course(course, by=by, at=at)


def _demo_partner(program: Program, *, now: datetime) -> None:
    """Put the demo partner's people on its list: the owner learned herself, a colleague failed, the others were taught in person."""
    partner, owner = membership_of(PARTNER_CODE).partner, PARTNER.user()
    listed = [
        staff.add(
            partner,
            full_name=name,
            email=f"{local}@northwind.example" if local else "",
            role=role,
            by=owner,
            at=now - timedelta(days=88),
        )
        for name, local, role in PEOPLE
    ]
    certification = Certification.objects.get(program=program, key=RANGE)
    course = certification.courses.get()
    _learn(course, listed[0], owner, RIGHT, at=now - timedelta(days=86))
    oliver = User.objects.get_by_natural_key("oliver@northwind.example")
    _learn(course, listed[CERTIFIED], oliver, TWO_OF_THREE, at=now - timedelta(days=20))
    zone, given_at = program.zone, now - timedelta(days=85)
    lapses_on = local_day(now, zone) + LAPSES_IN
    for number, person in enumerate(listed[1:CERTIFIED]):
        earned_on = months_before(lapses_on, 12) if number == 0 else local_day(given_at, zone)
        credentials.grant(certification, person, earned_on=earned_on, by=ACCOUNT_MANAGER.user(), at=given_at)
    credentials.hand_in_proof(
        Certification.objects.get(program=program, key=SEASONS),
        listed[1],
        file=ContentFile(PDF, name="diploma.pdf"),
        issuer="Leicester School of Retail",
        number="LSR-20417",
        earned_on=local_day(now - timedelta(days=140), zone),
        by=owner,
        at=now - timedelta(days=3),
    )


def _learn(course: Course, person: Staff, user: User, answers: Any, *, at: datetime) -> None:
    for lesson in course.lessons.order_by("position"):
        if lesson.kind == LessonKind.QUIZ:
            learning.answer(lesson, person, answers, by=user, at=at)
        else:
            learning.finish(lesson, person, by=user, at=at)


def _agency(code: str, many: int, certified: int, *, now: datetime) -> None:
    member = membership_of(code)
    owner, at = owner_of(member.partner), now - timedelta(days=88)
    certification = Certification.objects.get(program=member.program, key=RANGE)
    for number in range(1, many + 1):
        name = f"Adviser {number} of {member.partner.name}"
        person = staff.add(member.partner, full_name=name, role=StaffRole.SALES, by=owner, at=at)
        if number <= certified:
            credentials.grant(
                certification, person, by=ACCOUNT_MANAGER.user(), at=at + timedelta(days=3, hours=number)
            )


def owner_of(partner: Partner) -> User:
    """Return who owns a partner."""
    return partner.members.current().select_related("user").get(role=TeamRole.OWNER).user


def work_together(*, now: datetime) -> None:
    """Let partners tell what they did, and staff confirm most of it and enter what it knows."""
    _activities(now=now)
    manager = ACCOUNT_MANAGER.user()
    for code, score in SCORES.items():
        _figure(code, "manual_score", score, "Talk about the year, by telephone.", manager, now=now)
    for code, (installed, joint) in INSTALLED.items():
        _figure(code, "installed_base", installed, "The distributor's list of shops.", manager, now=now)
        _figure(code, "joint_customers", joint, "Their list compared with ours.", manager, now=now)


def _figure(code: str, metric: str, value: int, note: str, by: User, *, now: datetime) -> None:
    member, at = membership_of(code), now - timedelta(days=20)
    day = local_day(at, member.program.zone)
    figures.enter(member, metric=metric, value=value, counted_on=day, note=note, by=by, at=at)


def _activities(*, now: datetime) -> None:
    manager, member = ACCOUNT_MANAGER.user(), membership_of(PARTNER_CODE)
    for kind, title, days, then in (
        (ActivityKind.WEBINAR, "Gifts for offices, with questions from readers", 70, "confirm"),
        (ActivityKind.GUEST_ARTICLE, "Twelve presents under ten pounds", 41, "confirm"),
        (ActivityKind.PRESS, "A line in our weekly letter", 30, "decline"),
        (ActivityKind.CAMPAIGN, "Advent calendar with a gift a day", 4, ""),
    ):
        made = _tell(member, kind, title, days, now=now)
        if then == "confirm":
            activities.confirm(made, by=manager, at=now - timedelta(days=days - 3))
        elif then:
            reason = "A line in your own letter is not press. Tell us when a paper writes about it."
            activities.decline(made, reason=reason, by=manager, at=now - timedelta(days=days - 3))
    _tell(membership_of("UK-33"), ActivityKind.EVENT, "Stand at the autumn fair in Birmingham", 9, now=now)
    _tell(membership_of("UK-36"), ActivityKind.CASE_STUDY, "How a bank orders for 4,000 desks", 6, now=now)


def _tell(membership: Membership, kind: str, title: str, days: int, *, now: datetime) -> Any:
    told_at = now - timedelta(days=days - 1)
    held_on = local_day(now - timedelta(days=days), membership.program.zone)
    told = Told(kind=kind, title=title, held_on=held_on, url=f"{SHOP}partners/news")
    return activities.tell(membership, told, by=owner_of(membership.partner), at=told_at)
