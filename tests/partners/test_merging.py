"""Two rows of one partner become one: who may, what is refused, who is in the team afterwards, and the pages that do it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse

from partners import duplicates, merging, team
from partners.choices import MembershipState, TeamRole
from partners.models import Invitation, Member, Membership, Partner
from prm.accounts.policy import Forbidden
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, links, words
from tests.factories.partners import InvitationFactory, MemberFactory, MembershipFactory, PartnerFactory
from tests.factories.prm import UserFactory
from tests.factories.tiers import EPOCH
from tests.people import ada, felix, mats

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def two(db: None) -> tuple[Partner, Partner]:
    """The duplicate and the one that goes on."""
    duplicate = PartnerFactory(name="Lima Reviews Ltd", phone="+351 21 000", website="https://lima.example/a")
    return duplicate, PartnerFactory(name="Lima Reviews", email="lima@example.com")


def join(duplicate: Partner, into: Partner) -> Partner:
    return merging.merge(duplicate, into=into, by=mats(), at=NOW)


def test_finance_and_partners_may_not_join_anybody(two: tuple[Partner, Partner]) -> None:
    for by in (felix(), MemberFactory(partner=two[0]).user):
        with pytest.raises(Forbidden):
            merging.merge(two[0], into=two[1], by=by, at=NOW)
    assert not Partner.objects.filter(merged_at__isnull=False).exists()


def test_a_partner_is_joined_once_and_never_with_itself(two: tuple[Partner, Partner]) -> None:
    duplicate, into = two
    with pytest.raises(merging.Itself):
        join(into, into)
    join(duplicate, into)
    for pair in ((duplicate, into), (into, duplicate), (duplicate, PartnerFactory())):
        with pytest.raises(merging.AlreadyMerged):
            join(*pair)
    third = PartnerFactory()
    join(into, third)
    assert merging.standing(Partner.objects.get(pk=duplicate.pk)) == third
    with pytest.raises(merging.PersonErased):
        join(PartnerFactory(erased_at=EPOCH), third)


def test_people_move_and_who_is_in_both_keeps_the_stronger_role(two: tuple[Partner, Partner]) -> None:
    duplicate, into = two
    ana, bo, cy = (UserFactory() for _number in range(3))
    for user, role in ((ana, TeamRole.OWNER), (bo, TeamRole.OWNER), (cy, TeamRole.READ_ONLY)):
        MemberFactory(partner=duplicate, user=user, role=role)
    MemberFactory(partner=into, user=bo, role=TeamRole.SALES)
    MemberFactory(partner=into, user=cy, role=TeamRole.FINANCE)
    invitation = InvitationFactory(partner=duplicate)
    join(duplicate, into)
    here = dict(Member.objects.current().filter(partner=into).values_list("user", "role"))
    assert here == {ana.pk: "owner", bo.pk: "owner", cy.pk: "finance"}
    assert not Member.objects.current().filter(partner=duplicate).exists()
    invitation.refresh_from_db()
    assert invitation.withdrawn_at == NOW
    told = OutgoingMail.objects.filter(kind="partners_merged").values_list("to", flat=True)
    assert sorted(told) == sorted([ana.email, bo.email, cy.email])


def test_details_only_the_duplicate_has_are_taken_over(two: tuple[Partner, Partner]) -> None:
    into = join(*two)
    assert (into.phone, into.website, into.email) == (
        "+351 21 000",
        "https://lima.example/a",
        "lima@example.com",
    )
    with pytest.raises(team.TeamClosed):
        team.invite(Partner.objects.get(pk=two[0].pk), email="x@x.example", role="owner", by=mats(), at=NOW)


def test_a_suspended_membership_is_decided_about_first(two: tuple[Partner, Partner]) -> None:
    duplicate, into = two
    there = MembershipFactory(partner=duplicate, state=MembershipState.SUSPENDED)
    MembershipFactory(partner=into, program=there.program)
    with pytest.raises(merging.NotNow):
        join(duplicate, into)
    there.refresh_from_db()
    assert (there.partner, there.ended_at) == (duplicate, None)


def test_what_was_shown_is_what_is_done(two: tuple[Partner, Partner]) -> None:
    duplicate, into = two
    said, reasons = merging.look(duplicate, into=into, by=mats(), at=NOW)
    assert reasons == []
    MembershipFactory(partner=duplicate)
    with pytest.raises(merging.ChangedMeanwhile):
        merging.merge(duplicate, into=into, by=mats(), at=NOW, seen=merging.fingerprint(said))
    assert Membership.objects.get().partner == duplicate


@pytest.mark.django_db
def test_candidates_share_name_website_phone_or_vat_number() -> None:
    def found(**values: str) -> list[str]:
        other = PartnerFactory(**{"name": "Somebody else", **values})
        reasons = [
            str(reason)
            for each in duplicates.candidates(lima)
            if each.partner == other
            for reason in each.reasons
        ]
        other.delete()
        return reasons

    lima = PartnerFactory(
        name="Lima Reviews Ltd",
        website="https://www.lima.example",
        phone="+351 21-000 00",
        vat_number="PT501964843",
    )
    assert found(name="LIMA reviews") == ["same name"]
    assert found(website="http://lima.example/about") == ["same website"]
    assert found(phone="+351 (21) 000 00") == ["same phone number"]
    assert found(vat_number="PT 501964843", name="Lima-Reviews") == ["same VAT number", "same name"]
    assert found(website="https://lima.example.org") == []


def test_the_pages_compare_say_what_happens_and_join_after_a_second_look(
    two: tuple[Partner, Partner],
) -> None:
    duplicate, into = two
    membership = MembershipFactory(partner=duplicate)
    desk = at_desk(mats())
    page = desk.get(reverse("admin:partners_partner_change", args=[into.pk]))
    compare = f"{reverse('admin:partners_partner_compare', args=[into.pk])}?other={duplicate.pk}"
    assert compare in links(page) and "same name" in words(page)
    address = reverse("admin:partners_partner_merge", args=[duplicate.pk, into.pk])
    assert address in links(desk.get(compare))
    assert (
        desk.get(reverse("admin:partners_partner_compare", args=[into.pk]), {"q": "lima"}).status_code == 200
    )
    look = desk.get(address)
    assert membership.program.name in words(look) and "cannot be undone" in words(look)
    seen = look.context["form"].initial["seen"]
    assert desk.post(address, {"seen": seen}).status_code == 422
    assert desk.post(address, {"seen": "x", "compared": "on"}).status_code == 422
    assert Partner.objects.get(pk=duplicate.pk).merged_into is None
    done = desk.post(address, {"seen": seen, "compared": "on"}, follow=True)
    assert "are one partner now" in words(done)
    membership.refresh_from_db()
    assert membership.partner == into
    old = desk.get(reverse("admin:partners_partner_change", args=[duplicate.pk]), follow=True)
    assert old.redirect_chain[-1][0] == reverse("admin:partners_partner_change", args=[into.pk])
    listed = words(desk.get(reverse("admin:partners_partner_changelist")))
    assert "Lima Reviews Ltd" not in listed
    assert "Lima Reviews Ltd" in words(
        desk.get(reverse("admin:partners_partner_changelist"), {"merged": "yes"})
    )


def test_finance_sees_no_way_to_join(two: tuple[Partner, Partner]) -> None:
    desk = at_desk(felix())
    assert desk.get(reverse("admin:partners_partner_merge", args=[two[0].pk, two[1].pk])).status_code == 403
    assert desk.get(reverse("admin:partners_partner_compare", args=[two[0].pk])).status_code == 403


def test_staff_invites_an_owner_mails_again_and_ends_a_place(two: tuple[Partner, Partner]) -> None:
    partner = two[1]
    desk = at_desk(mats())
    invite = reverse("admin:partners_partner_invite", args=[partner.pk])
    assert desk.get(invite).status_code == 200
    assert desk.post(invite, {"email": "mats@halden.example", "role": "owner"}).status_code == 422
    assert desk.post(invite, {"email": "own@x.example", "role": "owner"}).status_code == 302
    first = Invitation.objects.get()
    desk.post(reverse("admin:partners_partner_renew", args=[partner.pk, first.pk]))
    first.refresh_from_db()
    second = Invitation.objects.get(withdrawn_at=None)
    assert first.withdrawn_at is not None and second.email == "own@x.example"
    desk.post(reverse("admin:partners_partner_withdraw", args=[partner.pk, second.pk]))
    assert not Invitation.objects.filter(withdrawn_at=None).exists()
    owner, other = MemberFactory(partner=partner), MemberFactory(partner=partner, role="sales")
    role = reverse("admin:partners_partner_role", args=[partner.pk, other.pk])
    assert desk.post(role, {"role": "finance"}).status_code == 302
    end = reverse("admin:partners_partner_end_place", args=[partner.pk, owner.pk])
    assert "last one" in words(desk.get(end))
    desk.post(end)
    owner.refresh_from_db()
    assert owner.ended_at is None
    desk.post(reverse("admin:partners_partner_end_place", args=[partner.pk, other.pk]))
    other.refresh_from_db()
    assert other.ended_by == mats()


def test_staff_changes_the_details_and_reads_what_is_wrong(two: tuple[Partner, Partner]) -> None:
    partner = two[1]
    desk = at_desk(ada())
    address = reverse("admin:partners_partner_change", args=[partner.pk])
    given = {"name": "Lima", "language": "fr", "country": "Portugal", "email": "l@lima.example"}
    wrong = desk.post(address, {**given, "languages": "Klingonish", "vat_number": "PT501964842"})
    assert "check digit" in words(wrong) and "Klingonish" in words(wrong)
    assert (
        desk.post(
            address, {**given, "languages": "French, English", "account_manager": mats().pk}
        ).status_code
        == 302
    )
    partner.refresh_from_db()
    assert (partner.name, partner.languages, partner.account_manager) == ("Lima", ["fr", "en"], mats())


def at_once(*verbs: Callable[[], object]) -> list[object]:
    start = Barrier(len(verbs))

    def run(verb: Callable[[], object]) -> object:
        start.wait()
        try:
            return verb()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


@pytest.mark.django_db(transaction=True)
def test_two_partners_joined_both_ways_at_once_leave_one_that_goes_on() -> None:
    one, two = PartnerFactory(), PartnerFactory()
    by = mats()
    results = at_once(
        lambda: merging.merge(one, into=two, by=by, at=NOW),
        lambda: merging.merge(two, into=one, by=by, at=NOW),
    )
    assert sum(isinstance(each, merging.AlreadyMerged) for each in results) == 1
    assert Partner.objects.filter(merged_into=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_and_remove_each_other_at_once_leave_an_owner() -> None:
    partner = PartnerFactory()
    one, two = (MemberFactory(partner=partner) for _number in range(2))
    at_once(
        lambda: team.change_role(two, role="sales", by=one.user, at=NOW),
        lambda: team.remove(one, by=two.user, at=NOW),
    )
    assert Member.objects.current().filter(partner=partner, role="owner").count() == 1
