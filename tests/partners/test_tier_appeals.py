"""Appeals: an owner objects in time, somebody answers by a promised day, and meanwhile nothing about the tier changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from partners import erasing, team
from partners.erasure import Case
from partners.models import Appeal, TierReview
from partners.tier_reviews import appeals, cases, decisions, grace
from prm.accounts.policy import Forbidden
from tests.factories.partners import MemberFactory
from tests.partners.score_scene import BY_ITSELF, Scene, mails, scene, tier_of
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db
SINCE = datetime(2026, 6, 15, tzinfo=UTC)
APPEAL_OVER = datetime(2026, 7, 15, 23, tzinfo=UTC)
GRACE_OVER = datetime(2026, 8, 30, 23, tzinfo=UTC)
JULY_3 = datetime(2026, 7, 3, 10, tzinfo=UTC)  # a Friday
TEXT = "Our largest order was booked a day late."


@pytest.fixture
def here() -> Scene:
    return scene(since=SINCE, **BY_ITSELF)


def noticed(here: Scene) -> TierReview:
    membership = here.member("gold", 60)
    here.review()
    return here.case(membership)


def test_an_appeal_is_confirmed_with_the_day_of_the_answer(here: Scene) -> None:
    case = noticed(here)
    owner = here.owner(case.membership)
    made = appeals.appeal(case, text=f"  {TEXT} ", by=owner, at=JULY_3)
    case.refresh_from_db()
    # Five working days after Friday the 3rd.
    assert (made.text, made.state, made.answer_on, case.state) == (
        TEXT, "open", date(2026, 7, 10), "appealed",
    )  # fmt: skip
    [confirmation] = mails("tier_appeal_received")
    assert (confirmation.to, "10 July 2026" in confirmation.text) == (owner.email, True)
    [bell] = mails("tier_appeal_waits")
    assert (bell.to, TEXT in bell.text) == (mats().email, True)
    with pytest.raises(appeals.AppealedAlready):
        appeals.appeal(case, text=TEXT, by=owner, at=JULY_3)


def test_only_owners_object_in_words_and_in_time(here: Scene) -> None:
    case = noticed(here)
    owner = here.owner(case.membership)
    seller = MemberFactory.create(partner=case.membership.partner, role="sales").user
    for nobody in (ana(), mats(), seller):
        with pytest.raises(team.NotYours):
            appeals.appeal(case, text=TEXT, by=nobody, at=JULY_3)
    with pytest.raises(cases.ReasonMissing) as empty:
        appeals.appeal(case, text=" ", by=owner, at=JULY_3)
    assert empty.value.field == "text"
    with pytest.raises(cases.ReasonTooLong):
        appeals.appeal(case, text="x" * 4001, by=owner, at=JULY_3)
    with pytest.raises(appeals.TooLate):
        appeals.appeal(case, text=TEXT, by=owner, at=APPEAL_OVER)
    assert not Appeal.objects.exists()
    appeals.appeal(case, text=TEXT, by=owner, at=APPEAL_OVER - timedelta(seconds=1))


def test_there_is_nothing_to_appeal_against_before_a_notice() -> None:
    here = scene(since=SINCE)
    case = noticed(here)
    assert case.state == "proposed"
    with pytest.raises(appeals.NothingToAppeal):
        appeals.appeal(case, text=TEXT, by=here.owner(case.membership), at=JULY_3)


def test_an_open_appeal_holds_everything_up(here: Scene) -> None:
    case = noticed(here)
    made = appeals.appeal(case, text=TEXT, by=here.owner(case.membership), at=JULY_3)
    late = GRACE_OVER + timedelta(days=30)
    assert (decisions.apply_due(at=late), grace.look_again(at=late)) == (0, 0)
    for verb in (
        lambda: decisions.decide(case, by=mats(), at=late),
        lambda: decisions.keep(case, by=mats(), at=late, note="-"),
        lambda: decisions.waive(case, until=date(2027, 1, 1), reason="-", by=mats(), at=late),
    ):
        with pytest.raises(cases.AppealOpen):
            verb()
    assert decisions.hindrance(here.case(case.membership), at=late) == str(cases.AppealOpen())
    assert tier_of(case.membership) == "gold"
    # Refused after the grace was over: seven days are left all the same.
    appeals.answer_appeal(made, granted=False, answer="It was booked in June.", by=mats(), at=late)
    case.refresh_from_db()
    assert (case.state, case.grace_ends_at) == ("in_grace", datetime(2026, 10, 7, 23, tzinfo=UTC))
    assert decisions.apply_due(at=datetime(2026, 10, 7, 22, 59, tzinfo=UTC)) == 0
    assert decisions.apply_due(at=datetime(2026, 10, 7, 23, tzinfo=UTC)) == 1
    assert tier_of(case.membership) == "silver"


def test_a_granted_appeal_keeps_the_tier_and_is_told(here: Scene) -> None:
    case = noticed(here)
    made = appeals.appeal(case, text=TEXT, by=here.owner(case.membership), at=JULY_3)
    for nobody in (fiona(), here.owner(case.membership)):
        with pytest.raises(Forbidden):
            appeals.answer_appeal(made, granted=True, answer="Yes.", by=nobody, at=JULY_3)
    with pytest.raises(cases.ReasonMissing) as silent:
        appeals.answer_appeal(made, granted=True, answer="", by=mats(), at=JULY_3)
    assert silent.value.field == "answer"
    answered = appeals.answer_appeal(made, granted=True, answer="You are right.", by=mats(), at=JULY_3)
    case.refresh_from_db()
    assert (answered.state, answered.answered_by, case.state) == ("granted", mats(), "kept")
    assert "You are right." in mails("tier_appeal_answered")[0].text
    assert decisions.apply_due(at=GRACE_OVER) == 0
    assert tier_of(case.membership) == "gold"
    with pytest.raises(appeals.AppealClosed):
        appeals.answer_appeal(made, granted=False, answer="No.", by=mats(), at=JULY_3)


def test_an_appeal_taken_back_lets_the_grace_go_on_as_it_was_told(here: Scene) -> None:
    case = noticed(here)
    owner = here.owner(case.membership)
    made = appeals.appeal(case, text=TEXT, by=owner, at=JULY_3)
    with pytest.raises(team.NotYours):
        appeals.withdraw_appeal(made, by=mats(), at=JULY_3)
    assert appeals.withdraw_appeal(made, by=owner, at=JULY_3).state == "withdrawn"
    with pytest.raises(appeals.AppealClosed):
        appeals.withdraw_appeal(made, by=owner, at=JULY_3)
    case.refresh_from_db()
    assert (case.state, case.grace_ends_at) == ("in_grace", GRACE_OVER)
    with pytest.raises(appeals.AppealedAlready):
        appeals.appeal(case, text=TEXT, by=owner, at=JULY_3)
    assert decisions.apply_due(at=GRACE_OVER) == 1


def test_people_are_taken_out_of_what_was_written(here: Scene) -> None:
    case = noticed(here)
    owner = here.owner(case.membership)
    made = appeals.appeal(case, text=f"Ask {owner.email} about it.", by=owner, at=JULY_3)
    erasing._scrub(Case(user=owner, mailboxes=frozenset({owner.email}), partners=()))
    made.refresh_from_db()
    assert owner.email not in made.text
    assert "about it" in made.text
