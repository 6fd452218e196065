"""Three partners and one review day. Ana is at 74 % certified, is warned, has two people learn and is confirmed; Ben is promoted on what he
sold, and only what he sells afterwards earns more; Cleo appeals against a fall and wins. Through the pages people use and the workers' own
doors."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import time_machine
from celery import Celery
from django.test import Client
from django.urls import reverse

from partners.certification import courses, lessons
from partners.choices import ReviewState
from partners.models import Certification, Lesson, Membership, Placement, Staff, TierReview
from partners.tasks_tiers import apply_tier_decisions, look_again_at_tiers, review_tiers, snapshot_tiers
from payouts import accrual
from payouts.models import Commission
from prm.mail.models import OutgoingMail
from referrals import conversions
from tests.certified import QUESTIONS
from tests.desk import at_desk, words
from tests.factories.prm import UserFactory
from tests.factories.tiering import CredentialFactory, StaffFactory
from tests.house import House, open_house
from tests.pages import submit, went_on
from tests.people import ada, ana, mats
from tiers import publishing, qualify, schemes
from tiers.models import Plan, Rule, Tier
from tiers.qualify import Ask, Calendar, Cycle, Process, Question, Requirement, Scheme, Window

pytestmark = pytest.mark.django_db(transaction=True)  # tasks follow a commit

JOINED = datetime(2025, 10, 1, 9, tzinfo=UTC)
RULES = datetime(2026, 1, 2, tzinfo=UTC)
SET_UP = datetime(2026, 6, 1, 9, tzinfo=UTC)
EVE = datetime(2026, 6, 30, 15, tzinfo=UTC)
REVIEW_DAY = datetime(2026, 7, 1, 4, tzinfo=UTC)
STAFF, CERTIFIED = 27, 20  # 74.07 %; two more are 81.48 %


def test_warned_confirmed_promoted_and_heard(eager_tasks: Celery) -> None:
    with time_machine.travel(SET_UP, tick=True) as clock:
        house, certification = a_program_with_two_ladders()
        ana_s, ben, cleo = three_partners(house, certification)
        clock.move_to(EVE)
        sell(house, "eve", "BEN", "100.00", EVE - timedelta(hours=1))
        snapshot_tiers()
        ana_is_warned_before_the_review(ana_s)

        clock.move_to(REVIEW_DAY)
        review_tiers()
        review_tiers()  # a second ring opens nothing and writes nothing
        assert TierReview.objects.count() == 3
        desk = at_desk(mats())
        ben_is_promoted(desk, house, ben)
        ana_has_two_people_learn(clock, ana_s, certification)
        cleo_appeals_and_wins(clock, house, cleo)

        clock.move_to(datetime(2026, 10, 1, 4, tzinfo=UTC))
        review_tiers()
        apply_tier_decisions()
    check_who_stands_where(house)


def a_program_with_two_ladders() -> tuple[House, Certification]:
    """One ladder asks what is sold, the other who is certified; falls need thirty days of grace."""
    house = open_house(percent="5")
    program = house.program
    version = publishing.draft_from(Plan.objects.get(program=program), by=ada(), at=RULES)
    house.tier.track = "Affiliates"
    house.tier.save()
    for key, name, rank, track in (
        ("silver", "Silver", 2, "Affiliates"),
        ("associate", "Associate", 1, "Consultants"),
        ("expert", "Expert", 2, "Consultants"),
    ):
        Tier.objects.create(program=program, key=key, name=name, rank=rank, track=track)
    version.rules.update(position=2)
    Rule.objects.create(
        version=version, key="silver", name="Silver", position=1, rate=Decimal(8), tier_keys=["silver"]
    )
    publishing.publish(version, effective_at=RULES, by=ada(), at=RULES)
    certification = a_course(house)
    sold = Question("net_revenue", Window("trailing", 3))
    certified = Question("certified_ratio", params=(("certification", (certification.key,)),))
    scheme = Scheme(
        asks={
            "silver": Ask((Requirement("sold", sold, "at_least", Fraction(5_000_00)),)),
            "expert": Ask((Requirement("certified", certified, "at_least", Fraction(80)),)),
        },
        calendar=Calendar(demotion=Cycle("quarter", 1)),
        process=Process(grace_days=30, appeal_days=14, answer_days=5, down="automatic", protected_days=90),
    )
    draft = schemes.draft(program, by=ada(), at=SET_UP)
    draft = schemes.edit(draft, qualify.dump(scheme), by=ada(), at=SET_UP)
    schemes.publish(draft, effective_at=SET_UP, by=ada(), at=SET_UP, meant=["window_before_data"])
    return house, certification


def a_course(house: House) -> Certification:
    made = courses.create_certification(
        house.program,
        key="specialist",
        name={"en": "Sales specialist"},
        valid_months=12,
        by=mats(),
        at=JOINED,
    )
    course = courses.create_course(made, title={"en": "The range"}, pass_mark=66, by=mats(), at=JOINED)
    lessons.add(course, kind="quiz", title={"en": "What sells"}, questions=QUESTIONS, by=mats(), at=JOINED)
    courses.open_course(course, by=mats(), at=JOINED)
    return made


def three_partners(house: House, certification: Certification) -> tuple[Membership, Membership, Membership]:
    """Ana stands in expert with 20 of 27 people certified, Ben in registered with 6,000.00 sold, Cleo in silver with 4,000.00."""
    tiers = {tier.key: tier for tier in Tier.objects.filter(program=house.program)}
    found = []
    for code, tier, owner in (
        ("ANA", "expert", ana()),
        ("BEN", "registered", UserFactory(email="ben@x.example")),
        ("CLEO", "silver", UserFactory(email="cleo@x.example")),
    ):
        house.tier = tiers[tier]
        found.append(house.member(code, at=JOINED, owner=owner))
    for number in range(STAFF):
        person = StaffFactory.create(partner=found[0].partner, added_at=JOINED)
        if number < CERTIFIED:
            CredentialFactory.create(
                certification=certification,
                staff=person,
                earned_on=date(2026, 1, 10),
                expires_on=date(2027, 1, 10),
            )
    sell(house, "b-1", "BEN", "6000.00", datetime(2026, 5, 4, 12, tzinfo=UTC))
    sell(house, "c-1", "CLEO", "4000.00", datetime(2026, 5, 5, 12, tzinfo=UTC))
    return found[0], found[1], found[2]


def sell(house: House, name: str, code: str, amount: str, at: datetime) -> None:
    event = replace(house.event(name, amount, code, at), customer_id=f"customer-{code}")
    conversions.record(event, at=at)
    accrual.sweep(at=at)


def signed_in(membership: Membership) -> Client:
    client = Client()
    client.force_login(membership.partner.members.get(role="owner").user)
    return client


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return words(answer)


def the_case(membership: Membership) -> TierReview:
    return TierReview.objects.filter(membership=membership).latest("evaluated_at")


def mails_to(membership: Membership) -> list[str]:
    rows = OutgoingMail.objects.filter(to=membership.partner.members.get(role="owner").user.email)
    return list(rows.order_by("pk").values_list("kind", flat=True))


def ana_is_warned_before_the_review(membership: Membership) -> None:
    text = read(signed_in(membership), "/portal/tier/")
    assert "The figures do not reach Expert at the moment." in text
    assert "74%" in text and "Who rises or falls 1 Jul 2026" in text


def ben_is_promoted(desk: Client, house: House, ben: Membership) -> None:
    """Mats carries the proposal out; what was sold the day before keeps 5 %, what comes next earns 8 %."""
    case = the_case(ben)
    assert (case.state, case.to_tier.key) == (ReviewState.PROPOSED, "silver")
    shown = read(desk, reverse("admin:partners_tierreview_change", args=[case.pk]))
    assert "£6,100.00" in shown
    page = reverse("admin:partners_tierreview_carry_out", args=[case.pk])
    went_on(submit(desk, page, {"note": "Your best spring so far."}))
    case.refresh_from_db()
    assert case.state == ReviewState.APPLIED
    sell(house, "next", "BEN", "100.00", case.effective_at + timedelta(seconds=1))
    sell(house, "late", "BEN", "100.00", case.effective_at - timedelta(seconds=1))  # told late, sold before
    assert [house.amounts(name) for name in ("eve", "late", "next")] == [[500], [500], [800]]
    text = read(signed_in(ben), "/portal/tier/")
    assert "Your tier: Silver" in text and "Your best spring so far." in text
    # A refund of the large sale afterwards is for the next review; the past stays.
    house.refund("back", "6000.00", "BEN", case.effective_at + timedelta(days=1), of="b-1")
    accrual.sweep(at=case.effective_at + timedelta(days=1))
    case.refresh_from_db()
    assert case.state == ReviewState.APPLIED
    assert (house.amounts("next"), house.amounts("b-1")) == ([800], [300_00])
    assert Commission.objects.get(conversion__external_id="back").amount_minor == -300_00


def ana_has_two_people_learn(
    clock: time_machine.Coordinates, membership: Membership, certification: Certification
) -> None:
    case = the_case(membership)
    assert (case.state, case.to_tier.key) == (ReviewState.IN_GRACE, "associate")
    client = signed_in(membership)
    text = read(client, f"/portal/tier/reviews/{case.public_id}/")
    assert "What brings Expert back" in text and "Grace period until 31 Jul 2026" in text
    assert "tier_fall_notice" in mails_to(membership)
    clock.shift(timedelta(days=9))
    look_again_at_tiers()
    assert the_case(membership).state == ReviewState.IN_GRACE  # nothing has changed yet
    quiz = Lesson.objects.get(course__certification=certification)
    uncertified = Staff.objects.filter(partner=membership.partner, credentials=None).order_by("pk")[:2]
    for number, person in enumerate(uncertified):
        one_learns(membership, person, quiz, f"learner{number}@x.example")
    snapshot_tiers()
    client = signed_in(membership)  # the session of nine days ago is over
    assert "81.4%" in read(client, "/portal/tier/")
    look_again_at_tiers()
    case.refresh_from_db()
    assert case.state == ReviewState.KEPT
    assert mails_to(membership)[-1] == "tier_confirmed"
    assert "Tier kept" in read(client, f"/portal/tier/reviews/{case.public_id}/")


def one_learns(membership: Membership, person: Staff, quiz: Lesson, email: str) -> None:
    """Let somebody of the list join the team and pass the quiz on its page."""
    user = UserFactory(email=email)
    member = membership.partner.members.create(user=user, role="sales", joined_at=JOINED)
    person.member = member
    person.save(update_fields=["member"])
    client = Client()
    client.force_login(user)
    address = f"/portal/training/lessons/{quiz.public_id}/"
    passed = went_on(submit(client, address, {"q0": "0", "q1": "1", "q2": ["0", "1"]}))
    assert "You are certified: Sales specialist." in read(client, passed)


def cleo_appeals_and_wins(clock: time_machine.Coordinates, house: House, cleo: Membership) -> None:
    case = the_case(cleo)
    assert (case.state, case.to_tier.key) == (ReviewState.IN_GRACE, "registered")
    client, page = signed_in(cleo), f"/portal/tier/reviews/{case.public_id}/"
    assert "£4,000.00 of £5,000.00. £1,000.00 to go." in read(client, page)
    went_on(submit(client, page, {"text": "The order of our largest customer is missing."}))
    clock.shift(timedelta(days=30))  # the grace would be over, and nothing happens while the appeal is open
    apply_tier_decisions()
    case.refresh_from_db()
    assert case.state == ReviewState.APPEALED
    desk = at_desk(mats())
    answer = reverse("admin:partners_tierreview_answer", args=[case.pk])
    given = {"verdict": "grant", "answer": "You are right: it was booked for another partner."}
    went_on(submit(desk, answer, given))
    case.refresh_from_db()
    assert case.state == ReviewState.KEPT
    client = signed_in(cleo)
    assert "it was booked for another partner" in read(client, page)
    assert "Your tier: Silver" in read(client, "/portal/tier/")


def check_who_stands_where(house: House) -> None:
    """Nobody lost a tier on the way, each stands in one at a time, and every move has its review."""
    open_ones = Placement.objects.filter(ends_at=None).order_by("membership")
    assert [row.tier.key for row in open_ones.select_related("tier")] == ["expert", "silver", "silver"]
    moved = Placement.objects.exclude(starts_at=JOINED)
    assert [(row.membership, row.review.outcome) for row in moved] == [(house.members["BEN"], "up")]
    # October: Ben has −5,900.00 in three months, Cleo nothing, so both are told; nobody has fallen.
    october = TierReview.objects.filter(round__due_on=date(2026, 10, 1)).order_by("membership")
    assert [row.state for row in october] == [ReviewState.KEPT, ReviewState.IN_GRACE, ReviewState.IN_GRACE]
