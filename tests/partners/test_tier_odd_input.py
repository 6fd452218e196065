"""What nobody types in good faith, at the pages about tiers: addresses, days and numbers that are odd are refused in words, and break nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from partners import erasing
from partners.business_plans import goals, plans, refusals
from partners.certification import credentials
from partners.choices import ReviewState
from partners.erasure import Case
from partners.models import Appeal, Credential, TierOverride, TierReview
from partners.tier_reviews import appeals, decisions, overrides
from prm.lib.scrubbing import ERASED
from tests.certified import NOON, PDF, open_school
from tests.desk import at_desk, words
from tests.factories.partners import MemberFactory, MembershipFactory
from tests.factories.tiering import TierSchemeFactory
from tests.pages import submit, went_on
from tests.partners.plan_scene import JAN_2, outlined
from tests.partners.tier_scene import NOW, Ladder, a_ladder, a_scheme
from tests.people import ada, ana, mats
from tiers import qualify
from tiers.qualify.reading import BadScheme, read

pytestmark = pytest.mark.django_db
HUGE = "9" * 30
LISTS = ("tierreview", "credential", "businessplan", "prospect", "activity", "certification", "staff")
FILES = ("tierreview", "credential", "businessplan", "prospect")
TOGETHER = ("tierreview/together/keep/", "activity/together/", "application/together/approve/")
ENDS = (date.max, date.max - timedelta(days=1), date(9000, 1, 1))


@pytest.fixture
def ladder() -> Ladder:
    ladder = a_ladder()
    ladder.member("FALLER", ladder.silver, "400.00")
    return ladder


@pytest.fixture
def falling(ladder: Ladder) -> TierReview:
    """Give notice of a fall from silver, and let the owner appeal."""
    ladder.review()
    return decisions.notify(ladder.case("FALLER"), by=mats(), at=NOW)


@pytest.mark.parametrize("odd", [f"program={HUGE}", "nosuch=1", "state__regex=("])
def test_lists_and_their_files_refuse_odd_addresses(odd: str) -> None:
    client = at_desk(ada())
    for name in LISTS:
        answer = client.get(f"/admin/partners/{name}/?{odd}")
        assert answer.status_code in (200, 302), (name, answer.status_code)
    for name in FILES:
        answer = client.get(f"/admin/partners/{name}/file.csv?{odd}")
        # A filter of one's own takes any word.
        assert answer.status_code in (200, 400), (name, answer.status_code)
        assert name == "tierreview" or answer.status_code == 400 or "program" in odd, name


def test_rows_ticked_that_cannot_be_are_left_out() -> None:
    client = at_desk(ada())
    for place in TOGETHER:
        for ids in (HUGE, "9" * 4_500, "\u00b2,x,,-1, 1"):
            assert client.get(f"/admin/partners/{place}", {"ids": ids}).status_code == 200, (place, ids[:40])


@pytest.mark.parametrize("until", ENDS)
def test_a_decision_until_the_end_of_the_calendar_is_refused(ladder: Ladder, until: date) -> None:
    member = ladder.members["FALLER"]
    with pytest.raises(decisions.TooFarAhead) as refused:
        overrides.override(member, tier=ladder.gold, reason="For good.", until=until, by=mats(), at=NOW)
    assert (refused.value.field, "before the year 9000" in str(refused.value)) == ("until", True)
    page = f"/admin/partners/membership/{member.pk}/tier/"
    given = {"tier": ladder.gold.pk, "because": "For good.", "until": until.isoformat()}
    answer = at_desk(mats()).post(page, given)
    assert (answer.status_code, "before the year 9000" in words(answer)) == (422, True)
    assert not TierOverride.objects.exists()


@pytest.mark.parametrize("day", [date.min, date(1999, 12, 31), date(2200, 1, 1), date.max])
def test_a_version_begins_in_years_calendars_know(ladder: Ladder, day: date) -> None:
    row = TierSchemeFactory.create(program=ladder.house.program, definition=qualify.dump(a_scheme(1)))
    answer = at_desk(ada()).post(
        f"/admin/tiers/tierscheme/{row.pk}/publish/", {"effective_on": day.isoformat()}
    )
    assert (answer.status_code, "from the years 2000 to 2199" in words(answer)) == (422, True)
    row.refresh_from_db()
    assert row.state == "draft"


@pytest.mark.parametrize("day", [date.min, date(1899, 12, 31), date(9998, 1, 1), date.max])
def test_a_plan_lies_in_years_people_plan_for(day: date) -> None:
    found = outlined()
    with pytest.raises(refusals.FarAway, match="2000 to 2199"):
        plans.draft(found.membership, title="Odd", starts_on=day, ends_on=day, by=mats(), at=JAN_2)
    assert [type(each) for each in goals.faults(goals.Outline("Odd", day, day), "GBP")] == [refusals.FarAway]


@pytest.mark.parametrize(
    "text", ["1e999999999", "1E9", "NaN", "inf", "1/0", "1/3333333", "9" * 41, "1" + "0" * 16, ""]
)
def test_a_threshold_that_is_no_plain_number_is_refused(text: str) -> None:
    asked = {"key": "a", "metric": "sales", "window": "trailing", "months": 3, "threshold": text}
    with pytest.raises(BadScheme, match="is not a number"):
        read({"tiers": {"gold": {"requirements": [asked]}}})


def test_a_certificate_may_end_with_the_calendar_and_not_begin_with_it() -> None:
    school = open_school(valid_months=12, takes_proof=True)
    person = school.person()

    def hand_in(earned_on: date) -> Credential:
        file = ContentFile(PDF, "proof.pdf")
        return credentials.hand_in_proof(
            school.certification, person, file=file, issuer="TÜV", earned_on=earned_on, by=ana(), at=NOON
        )

    for day in (date.min, date(1899, 12, 31)):
        with pytest.raises(credentials.OverAlready):
            hand_in(day)
        with pytest.raises(credentials.OverAlready):
            credentials.grant(school.certification, person, earned_on=day, by=mats(), at=NOON)
    client = Client()
    client.force_login(ana())
    given = {"issuer": "TÜV", "earned_on": "2026-01-30", "valid_until": "9999-12-31"}
    address = f"/portal/people/{person.public_id}/certificate/"
    went_on(submit(client, address, {**given, "file": ContentFile(PDF, "proof.pdf")}))
    # Our own twelve months end before the calendar does.
    assert Credential.objects.get().expires_on == date(2027, 1, 30)


def test_what_was_written_about_the_tiers_of_an_erased_partner_goes(falling: TierReview) -> None:
    owner = falling.membership.partner.members.get().user
    made = appeals.appeal(falling, text="My wife was ill.", by=owner, at=NOW)
    appeals.answer_appeal(made, granted=False, answer="We are sorry for her.", by=mats(), at=NOW)
    decisions.waive(falling, until=date(2027, 3, 1), reason="Illness at home.", by=mats(), at=NOW)
    case = Case(None, frozenset(), partners=(falling.membership.partner,))
    erasing.erase(case, ada(), NOW)
    made.refresh_from_db()
    falling.refresh_from_db()
    assert (made.text, made.answer, falling.note) == (ERASED, ERASED, ERASED)
    assert TierOverride.objects.get().reason == ERASED
    assert falling.state == ReviewState.WAIVED


def test_nobody_decides_the_way_of_a_partner_by_a_role_held_elsewhere(falling: TierReview) -> None:
    """Ana owns one partner and only reads at the other: what she opens by its public id is that of the other."""
    own = MembershipFactory.create(program=falling.membership.program)
    MemberFactory.create(partner=own.partner, user=ana(), role="owner")
    MemberFactory.create(partner=falling.membership.partner, user=ana(), role="read_only")
    client = Client()
    client.force_login(ana())
    client.get(f"/portal/in/{own.public_id}/")
    address = f"/portal/tier/reviews/{falling.public_id}/"
    assert client.post(f"{address}appeal/", {"text": "Mine."}).status_code == 404
    assert client.get(address).status_code == 200
    client.get(f"/portal/in/{own.public_id}/")
    assert client.post(f"{address}appeal/withdraw/").status_code == 404
    assert not Appeal.objects.exists()
