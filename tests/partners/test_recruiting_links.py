"""Recruiting links carry where applicants come from; a partner has one of its own, made when it is asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from partners import recruiting_links, visits
from partners.models import ProgramVisit, RecruitingLink
from prm.accounts import policy
from tests.factories.partners import ApplicationFactory, MemberFactory, MembershipFactory
from tests.factories.recruiting import RecruitingLinkFactory
from tests.factories.tiers import ProgramFactory
from tests.people import ana, fiona, mats
from tiers.models import Program

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def make(program: Program, name: str, **given: str) -> RecruitingLink:
    values = {"channel": "linkedin", **given}
    return recruiting_links.make(program, name=name, by=mats(), at=NOW, **values)


def test_a_word_is_made_from_the_name_and_taken_once() -> None:
    program = ProgramFactory.create(slug="gifts")
    words = [make(program, name).key for name in ("LinkedIn, März!", "LinkedIn, März!", "ł")]
    assert words == ["linkedin-marz", "linkedin-marz-2", "link"]
    assert recruiting_links.address(RecruitingLink.objects.get(key="linkedin-marz")) == (
        "http://testserver/p/gifts/?via=linkedin-marz"
    )
    assert make(ProgramFactory.create(), "LinkedIn, März!").key == "linkedin-marz"


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"name": "  "}, recruiting_links.NoName),
        ({"channel": "pigeon"}, recruiting_links.UnknownChannel),
        ({"key": "a b"}, recruiting_links.BadKey),
        ({"key": "spring"}, recruiting_links.KeyTaken),
    ],
)
def test_what_makes_no_link_is_refused(given: dict[str, str], refusal: type[Exception]) -> None:
    program = ProgramFactory.create()
    RecruitingLinkFactory.create(program=program, key="spring")
    with pytest.raises(refusal):
        make(program, **{"name": "Spring", **given})
    assert RecruitingLink.objects.count() == 1


def test_finance_makes_no_recruiting_links() -> None:
    with pytest.raises(policy.Forbidden):
        recruiting_links.make(ProgramFactory.create(), name="X", channel="other", by=fiona(), at=NOW)


def test_only_links_in_use_and_of_active_partners_mean_something() -> None:
    program = ProgramFactory.create()
    link = make(program, "Post", key="post")
    assert recruiting_links.living(program, "post") == link
    for word in ("", "nothing", "x" * 41, "post'; drop", "POST"):
        assert recruiting_links.living(program, word) is None
    assert recruiting_links.living(ProgramFactory.create(), "post") is None
    recruiting_links.retire(link, by=mats(), at=NOW)
    assert recruiting_links.living(program, "post") is None
    with pytest.raises(recruiting_links.AlreadyRetired):
        recruiting_links.retire(link, by=mats(), at=NOW)
    out = MembershipFactory.create(program=program, state="suspended")
    RecruitingLinkFactory.create(program=program, key="out", membership=out, channel="partner")
    assert recruiting_links.living(program, "out") is None


def test_a_partner_has_one_link_of_its_own() -> None:
    membership = MembershipFactory.create(state="active")
    MemberFactory.create(partner=membership.partner, user=ana())
    first = recruiting_links.own_link(membership, by=ana(), at=NOW)
    assert recruiting_links.own_link(membership, by=mats(), at=NOW) == first
    assert (first.channel, first.membership, len(first.key)) == ("partner", membership, 10)
    assert recruiting_links.living(membership.program, first.key) == first
    with pytest.raises(recruiting_links.NotOfTheTeam):
        recruiting_links.own_link(membership, by=fiona(), at=NOW)
    membership.state = "suspended"
    with pytest.raises(recruiting_links.NotActive):
        recruiting_links.own_link(membership, by=ana(), at=NOW)


def test_what_a_link_brought_is_counted_for_many_in_two_queries(django_assert_num_queries: object) -> None:
    program = ProgramFactory.create()
    link, other = (RecruitingLinkFactory.create(program=program, key=key) for key in ("one", "two"))
    for day in (20, 20, 21):
        visits.count(program, on=date(2026, 11, day), source_key="one")
    visits.count(program, on=date(2026, 11, 20))
    visits.count(ProgramFactory.create(), on=date(2026, 11, 20), source_key="one")
    ApplicationFactory.create(program=program, source_link=link)
    ApplicationFactory.create(
        program=program, source_link=link, state="approved", decided_at=NOW, decided_by=mats()
    )
    ApplicationFactory.create(program=program, source_link=link, email_confirmed_at=None)
    with django_assert_num_queries(2):  # type: ignore[operator]
        found = recruiting_links.counts_of([link, other])
    assert found[link.pk] == recruiting_links.Counts(visits=3, applications=2, approved=1)
    assert found[other.pk] == recruiting_links.Counts()
    assert ProgramVisit.objects.get(program=program, source_key="", count=1).visited_on == date(2026, 11, 20)
