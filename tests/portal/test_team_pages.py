"""The team: owners invite and change it, everybody may leave, and there is always an owner."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from partners.choices import TeamRole
from partners.models import Invitation, Member
from prm.accounts.models import User
from tests.factories.prm import UserFactory
from tests.portal.conftest import signed_in
from tests.portal.scene import JOINED, Scene

pytestmark = pytest.mark.django_db


def join(scene: Scene, role: TeamRole) -> tuple[Member, Client]:
    user: User = UserFactory(email=f"{role}@studio.example", full_name=f"Person {role}")  # type: ignore[assignment]
    member = Member.objects.create(partner=scene.membership.partner, user=user, role=role, joined_at=JOINED)
    client = Client()
    client.force_login(user)
    return member, client


def url(name: str, row: Member | Invitation) -> str:
    return reverse(f"portal:{name}", args=[row.public_id])


def test_an_owner_invites_a_person_and_may_withdraw_it(newcomer: Scene) -> None:
    client = signed_in(newcomer)
    data = {"full_name": "Bo Lind", "email": "bo@studio.example", "role": "finance"}
    page = client.post("/portal/team/invite/", data, follow=True).content.decode()
    assert "We have sent an invitation to bo@studio.example." in page
    assert "Invitations under way" in page and "Bo Lind" in page
    invitation = Invitation.objects.get()
    assert invitation.role == TeamRole.FINANCE
    client.post(url("team_withdraw", invitation))
    invitation.refresh_from_db()
    assert invitation.withdrawn_at is not None


def test_somebody_who_is_in_the_team_is_not_invited_again(newcomer: Scene) -> None:
    answer = signed_in(newcomer).post("/portal/team/invite/", {"email": newcomer.ana.email, "role": "sales"})
    assert answer.status_code == 422
    assert "This person is in the team already." in answer.content.decode()
    assert not Invitation.objects.exists()


def test_an_owner_changes_a_role(newcomer: Scene) -> None:
    member, _client = join(newcomer, TeamRole.SALES)
    answer = signed_in(newcomer).post(url("team_role", member), {"role": "finance"}, follow=True)
    member.refresh_from_db()
    assert member.role == TeamRole.FINANCE
    assert "The role of Person sales is changed." in answer.content.decode()


def test_a_removal_says_what_it_means_and_then_ends_the_place(newcomer: Scene) -> None:
    member, client = join(newcomer, TeamRole.SALES)
    owner = signed_in(newcomer)
    assert (
        "no longer sees anything of Partner ANA10" in owner.get(url("team_remove", member)).content.decode()
    )
    assert client.get("/portal/").status_code == 200
    owner.post(url("team_remove", member))
    assert client.get("/portal/").status_code == 403


def test_the_last_owner_neither_leaves_nor_steps_down(newcomer: Scene) -> None:
    me = Member.objects.get(user=newcomer.ana)
    client = signed_in(newcomer)
    for answer in (client.post(url("team_remove", me)), client.post(url("team_role", me), {"role": "sales"})):
        assert answer.status_code == 422
        assert "A team needs an owner." in answer.content.decode()
    me.refresh_from_db()
    assert (me.ended_at, me.role) == (None, TeamRole.OWNER)


def test_a_member_who_is_no_owner_sees_the_team_and_may_only_leave(newcomer: Scene) -> None:
    member, client = join(newcomer, TeamRole.FINANCE)
    owner = Member.objects.get(user=newcomer.ana)
    page = client.get("/portal/team/").content.decode()
    assert "Change role" not in page and "Invite a person" not in page and "Leave" in page
    assert client.post(url("team_role", owner), {"role": "sales"}).status_code == 403
    assert client.post(url("team_remove", owner)).status_code == 403
    client.post(url("team_remove", member))
    member.refresh_from_db()
    assert member.ended_at is not None
    owner.refresh_from_db()
    assert (owner.ended_at, owner.role) == (None, TeamRole.OWNER)


def test_people_of_another_team_are_not_found(newcomer: Scene) -> None:
    other = UserFactory(email="eve@rival.example")
    newcomer.house.member("RIVAL", at=JOINED, owner=other)  # type: ignore[arg-type]
    eve = Member.objects.get(user=other)
    client = signed_in(newcomer)
    assert client.post(url("team_role", eve), {"role": "sales"}).status_code == 404
    assert client.post(url("team_remove", eve)).status_code == 404
    eve.refresh_from_db()
    assert eve.ended_at is None


def test_a_person_chooses_language_and_time_zone(newcomer: Scene) -> None:
    client = signed_in(newcomer)
    data = {"full_name": "Ana P.", "language": "pl", "time_zone": "Europe/Warsaw"}
    answer = client.post("/portal/account/", data)
    newcomer.ana.refresh_from_db()
    assert (newcomer.ana.full_name, newcomer.ana.language, newcomer.ana.time_zone) == tuple(data.values())
    assert answer.cookies["django_language"].value == "pl"
    wrong = client.post("/portal/account/", {**data, "time_zone": "Mars/Olympus"})
    assert wrong.status_code == 422
    newcomer.ana.refresh_from_db()
    assert newcomer.ana.time_zone == "Europe/Warsaw"
