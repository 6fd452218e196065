"""Who gets in: own rows only, by role, and between several programs."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from partners.choices import TeamRole
from partners.models import Member, Membership
from payouts.models import Commission, Statement
from referrals.models import Link
from tests.factories.prm import UserFactory
from tests.house import open_house
from tests.people import ana, felix, mats
from tests.portal.conftest import signed_in
from tests.portal.scene import JOINED, NOW, Scene, on

pytestmark = pytest.mark.django_db

LOOK = ["home", "links", "earnings", "earnings_csv", "team", "account"]
MONEY = ["statements", "payment_details"]


def given(scene: Scene, role: TeamRole) -> Client:
    Member.objects.filter(user=scene.ana).update(role=role)
    return signed_in(scene)


def own_urls() -> list[str]:
    line, statement, link = Commission.objects.first(), Statement.objects.last(), Link.objects.get()
    assert line and statement
    return [
        reverse("portal:commission", args=[line.public_id]),
        reverse("portal:statement", args=[statement.public_id]),
        *(
            reverse("portal:statement_file", args=[statement.public_id, kind])
            for kind in ("csv", "xlsx", "pdf")
        ),
        reverse("portal:link_qr", args=[link.public_id]),
        reverse("portal:switch", args=[link.membership.public_id]),
    ]


def test_nobody_sees_a_row_of_another_partner(busy: Scene) -> None:
    other = UserFactory(email="eve@rival.example")
    busy.house.member("RIVAL", at=JOINED, owner=other)
    eve = Client()
    eve.force_login(other)
    answers = {url: eve.get(url).status_code for url in own_urls()}
    assert set(answers.values()) == {404}
    assert len(answers) == 7
    switch = reverse("portal:link_switch", args=[Link.objects.get(slug="ana").public_id])
    assert eve.post(switch, {"on": "0"}).status_code == 404
    assert Link.objects.get(slug="ana").is_active
    assert eve.get("/portal/earnings/").context["page"].is_new


def test_staff_without_a_place_in_a_team_do_not_come_in(busy: Scene, settings: Settings) -> None:
    settings.PRM_STAFF_MFA = False
    for person in (mats(), felix()):
        client = Client()
        client.force_login(person)
        answers = [client.get(reverse(f"portal:{name}")) for name in (*LOOK, *MONEY)]
        assert {answer.status_code for answer in answers} == {403}
        assert b"not in a partner" in answers[0].content


def test_who_has_left_the_team_sees_nothing_any_more(busy: Scene) -> None:
    Member.objects.filter(user=busy.ana).update(ended_at=NOW, ended_by=busy.ana)
    client = signed_in(busy)
    assert client.get("/portal/").status_code == 403
    assert {client.get(url).status_code for url in own_urls()} == {403}


def test_every_role_may_look_and_only_some_see_statements_and_the_account(newcomer: Scene) -> None:
    for role in TeamRole:
        client = given(newcomer, role)
        looks = {name: client.get(reverse(f"portal:{name}")).status_code for name in LOOK}
        assert looks == dict.fromkeys(LOOK, 200), role
        sees_money = role in (TeamRole.OWNER, TeamRole.FINANCE, TeamRole.READ_ONLY)
        money = {name: client.get(reverse(f"portal:{name}")).status_code for name in MONEY}
        assert money == dict.fromkeys(MONEY, 200 if sees_money else 403), role
        home = client.get("/portal/").content.decode()
        assert ('href="/portal/statements/"' in home) is sees_money, role
        assert ('href="/portal/payment-details/"' in home) is sees_money, role


def test_what_changes_something_is_open_to_its_roles_only(newcomer: Scene) -> None:
    doors = {
        "link_new": {TeamRole.OWNER, TeamRole.MARKETING, TeamRole.SALES},
        "payment_details_change": {TeamRole.OWNER, TeamRole.FINANCE},
        "team_invite": {TeamRole.OWNER},
    }
    for role in TeamRole:
        client = given(newcomer, role)
        for name, wanted in doors.items():
            url = reverse(f"portal:{name}")
            assert (client.get(url).status_code != 403) is (role in wanted), (role, name)
            assert (client.post(url, {}).status_code != 403) is (role in wanted), (role, name)


def test_a_closed_door_names_the_roles_that_open_it(busy: Scene) -> None:
    html = given(busy, TeamRole.SALES).get("/portal/statements/").content.decode()
    assert "Owner, Finance, Read only" in html
    assert "Your role at Partner ANA10 is Sales." in html


def test_with_several_programs_one_is_current_and_can_be_switched(busy: Scene) -> None:
    second = open_house(slug="agencies", entity=busy.house.program.legal_entity)
    second.member("SECOND", at=on(3, 1), owner=ana())
    other = Membership.objects.get(program=second.program)
    client = signed_in(busy)
    assert client.get("/portal/").context["room"].membership == busy.membership
    entries = client.get("/portal/").context["memberships"]
    assert [(entry.label, entry.current) for entry in entries] == [
        ("Partner ANA10: Halden affiliates", True),
        ("Partner SECOND: Halden agencies", False),
    ]
    assert client.get(entries[1].url)["Location"] == "/portal/"
    assert client.get("/portal/").context["room"].membership == other
    assert client.get("/portal/earnings/").context["page"].is_new


def test_a_commission_of_another_own_program_opens_and_takes_one_there(busy: Scene) -> None:
    second = open_house(slug="agencies", entity=busy.house.program.legal_entity)
    second.member("SECOND", at=on(3, 1), owner=ana())
    second.sale("x", "10.00", "SECOND", on(6, 1))
    second.rate(on(6, 2))
    line = Commission.objects.get(conversion__external_id="x")
    client = signed_in(busy)
    assert client.get(reverse("portal:commission", args=[line.public_id])).status_code == 200
    assert client.get("/portal/").context["room"].membership == line.membership


def test_the_role_is_that_of_the_partner_looked_at(busy: Scene) -> None:
    second = open_house(slug="agencies", entity=busy.house.program.legal_entity)
    second.member("SECOND", at=on(3, 1), owner=ana())
    other = Membership.objects.get(program=second.program)
    Member.objects.filter(partner=other.partner).update(role=TeamRole.SALES)
    client = signed_in(busy)
    assert client.get("/portal/statements/").status_code == 200
    client.get(reverse("portal:switch", args=[other.public_id]))
    assert client.get("/portal/statements/").status_code == 403


def test_a_role_with_one_partner_opens_no_statement_of_another(busy: Scene) -> None:
    second = open_house(slug="agencies", entity=busy.house.program.legal_entity)
    second.member("SECOND", at=on(3, 1), owner=ana())  # Ana owns this one
    own = Membership.objects.get(program=second.program)
    Member.objects.filter(partner=busy.membership.partner).update(role=TeamRole.MARKETING)  # not that one
    client = signed_in(busy)
    client.get(reverse("portal:switch", args=[own.public_id]))
    assert client.get(reverse("portal:statements")).status_code == 200
    found = Statement.objects.filter(membership=busy.membership).first()
    assert found
    urls = [
        reverse("portal:statement", args=[found.public_id]),
        *(reverse("portal:statement_file", args=[found.public_id, kind]) for kind in ("csv", "xlsx", "pdf")),
    ]
    assert {client.get(url).status_code for url in urls} == {404}
