"""Links for many partners at once: the same for each, or row by row from a list."""

from __future__ import annotations

import pytest

from prm.accounts.policy import Forbidden
from referrals import link_lists, listed_rows
from referrals.link_facts import Facts
from referrals.link_lists import Outcome
from referrals.models import Link
from tests.factories.referrals import NOW, LinkFactory
from tests.people import fiona, mats
from tests.referrals.test_codes import two_partners

pytestmark = pytest.mark.django_db


def test_everybody_gets_the_same_link_once() -> None:
    one, two = two_partners()
    facts = Facts("Spring", "https://shop.example/spring", "spring", {"utm_source": "partner"})
    rows = link_lists.for_everybody(one.program, [one, two], facts)
    made = link_lists.make_all(one.program, rows, by=mats(), at=NOW)
    assert made.count(Outcome.NEW) == 2
    assert {link.membership for link in Link.objects.filter(campaign="spring", utm=facts.utm)} == {one, two}
    again = link_lists.make_all(one.program, rows, by=mats(), at=NOW)
    assert (again.count(Outcome.SAME), Link.objects.count()) == (2, 2)
    assert [each.link for each in again.rows] == [each.link for each in made.rows]


def test_a_list_names_its_faults_and_takes_the_good_rows() -> None:
    one, _two = two_partners()
    LinkFactory.create(slug="taken")
    ptn = one.partner.public_id
    text = "\n".join(
        [
            "partner,label,destination,slug,campaign,utm_source,expires",
            f"{ptn},Good,https://shop.example/a,Spring,c,blog,2026-12-31",
            "BEN@x.example,Default,,,,,",
            f"{ptn},Bad,https://evil.test/,,,,",
            f"{ptn},Bad,,taken,,,",
            f"{ptn},Bad,,admin,,,",
            f"{ptn},Bad,,,,,2026-13-01",
            f"{ptn},Bad,,,,,2020-01-01",
            f"{ptn},,,,,,",
            f"{ptn},Twice,,spring,,,",
            "ptn_unknown,Bad,,,,,",
        ]
    )
    rows = link_lists.parse(text)
    found = link_lists.check(one.program, rows, at=NOW)
    faults = [(each.fault.line, each.fault.column) for each in found if each.fault]
    assert faults == [
        (4, "destination"),
        (5, "slug"),
        (6, "slug"),
        (7, "expires"),
        (8, "expires"),
        (9, "label"),
        (10, "slug"),
        (11, "partner"),
    ]
    assert not link_lists.make_all(one.program, rows, by=mats(), at=NOW, atomic=True).kept
    assert Link.objects.count() == 1
    assert link_lists.make_all(one.program, rows, by=mats(), at=NOW).count(Outcome.NEW) == 2
    again = link_lists.make_all(one.program, rows, by=mats(), at=NOW)
    assert (again.count(Outcome.SAME), Link.objects.count()) == (2, 3)
    with pytest.raises(Forbidden):
        link_lists.make_all(one.program, rows, by=fiona(), at=NOW)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", listed_rows.EmptyList),
        ("partner,label\n", listed_rows.EmptyList),
        ("partner\nx\n", listed_rows.ColumnMissing),
        ("partner,label,colour\nx,y,z\n", listed_rows.UnknownColumn),
        ("partner,label,label\nx,y,z\n", listed_rows.ColumnTwice),
        ("partner,label\n" + "x,y\n" * 2_001, listed_rows.TooLong),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_whole(text: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        link_lists.parse(text)


def test_checking_a_list_costs_the_same_however_long_it_is(django_assert_num_queries: object) -> None:
    one, _two = two_partners()
    text = "partner,label,slug\n" + "".join(f"{one.public_id},L{n},s-{n}\n" for n in range(50))
    with django_assert_num_queries(2):  # type: ignore[operator]
        link_lists.check(one.program, link_lists.parse(text), at=NOW)
