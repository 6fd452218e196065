"""The back office's pages about prospects, invitations, counter-proposals and introductions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from partners.models import Introduction, ProgramInvitation, Prospect
from referrals.models import Customer
from tests.desk import at_desk, words
from tests.factories.partners import TermsVersionFactory
from tests.factories.recruiting import ProspectFactory
from tests.house import House, open_house
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = open_house()
    TermsVersionFactory(program=house.program, published=True)
    return house


@pytest.fixture
def desk() -> Client:
    return at_desk(mats())


def test_finance_sees_none_of_it(house: House) -> None:
    client = at_desk(fiona())
    for table in ("prospect", "programinvitation", "counterproposal", "introduction"):
        assert client.get(f"/admin/partners/{table}/").status_code == 403


def test_a_prospect_is_added_touched_moved_and_taken_as_a_file(house: House, desk: Client) -> None:
    form = {"full_name": "=HYPERLINK(1)", "email": "i@rocha.example", "language": "en", "source": "event"}
    refused = desk.post("/admin/partners/prospect/add/", {**form, "email": "no"})
    assert (refused.status_code, 'href="#id_email"' in refused.content.decode()) == (422, True)
    desk.post("/admin/partners/prospect/add/", form)
    prospect = Prospect.objects.get()
    page = f"/admin/partners/prospect/{prospect.pk}/change/"
    late = timezone.localdate() - timedelta(days=1)
    desk.post(page, {"kind": "call", "text": "Interested.", "next_touch_on": late.isoformat()})
    desk.post(page, {"move": "stage", "stage": "in_talks"})
    assert "Interested." in words(desk.get(page))
    listed = words(desk.get("/admin/partners/prospect/?show=overdue"))
    assert "late" in listed
    assert "In talks" in listed
    file = desk.get("/admin/partners/prospect/file.csv?show=overdue")
    assert "'=HYPERLINK(1)" in file.content.decode()
    assert "HYPERLINK" not in desk.get("/admin/partners/prospect/file.csv?stage__exact=lost").content.decode()


def test_one_is_invited_from_a_prospect_now_or_later(house: House, desk: Client) -> None:
    prospect = ProspectFactory(program=house.program, email="ines@rocha.example")
    address = f"/admin/partners/programinvitation/add/?prospect={prospect.public_id}"
    assert "ines@rocha.example" in desk.get(address).content.decode()
    form = {
        "program": house.program.pk,
        "tier": house.tier.pk,
        "email": "ines@rocha.example",
        "language": "en",
        "do": "prepare",
    }
    desk.post(address, form)
    invitation = ProgramInvitation.objects.get()
    assert (invitation.sent_at, invitation.prospect) == (None, prospect)
    page = f"/admin/partners/programinvitation/{invitation.pk}/"
    desk.post(f"{page}edit/", {"tier": house.tier.pk, "language": "en", "addendum": "Only you."})
    desk.post(f"{page}send/")
    invitation.refresh_from_db()
    assert invitation.addendum == "Only you."
    assert invitation.sent_at is not None
    again = desk.post(address, form)
    assert (again.status_code, "invited into the program already" in words(again)) == (422, True)
    assert desk.get(f"{page}change/").status_code == 200
    desk.post(f"{page}withdraw/")
    invitation.refresh_from_db()
    assert invitation.state == "withdrawn"


def test_own_rates_are_written_and_proposed_from_the_invitation(house: House) -> None:
    desk = at_desk(ada())
    form = {"program": house.program.pk, "tier": house.tier.pk, "email": "g@x.example", "language": "en"}
    desk.post("/admin/partners/programinvitation/add/", {**form, "do": "prepare"})
    page = f"/admin/partners/programinvitation/{ProgramInvitation.objects.get().pk}/"
    version = desk.post(f"{page}draft_terms/").headers["Location"]
    assert "For one invited mailbox only" in words(desk.get(version))
    desk.post(f"{page}propose_terms/", {"effective_on": ""})
    assert "The guest reads version 2" in words(desk.get(f"{page}change/"))
    desk.post(f"{page}withdraw_terms/")
    assert "Propose these rates" in words(desk.get(f"{page}change/"))


def test_a_list_is_looked_at_before_anything_is_sent(house: House, desk: Client) -> None:
    address = "/admin/partners/programinvitation/list/"
    file = SimpleUploadedFile("l.csv", "name;email\nInês;ines@rocha.example\nBen;ben".encode("latin-1"))
    form = {"program": house.program.pk, "tier": house.tier.pk, "language": "en"}
    assert desk.post(address, form).status_code == 422
    look = desk.post(address, {**form, "file": file})
    said = words(look)
    assert "Send 1 invitation" in said
    assert "this is no address" in said
    assert not ProgramInvitation.objects.exists()
    done = desk.post(f"{address}send/", {"list": look.context["kept"]})
    assert "E-mail: this is no address." in words(done)
    assert ProgramInvitation.objects.get().full_name == "Inês"
    desk.post(f"{address}send/", {"list": look.context["kept"] + "x"})
    assert ProgramInvitation.objects.count() == 1


def test_customers_become_prospects_after_a_page_that_says_so(house: House, desk: Client) -> None:
    for number in range(2):
        Customer.objects.create(source="shop", external_id=f"c-{number}", first_seen_at=timezone.now())
    chosen = list(Customer.objects.values_list("pk", flat=True))
    to = desk.post("/admin/referrals/customer/", {"action": "make_prospects", "_selected_action": chosen})
    page = desk.get(to.headers["Location"])
    assert "2 customers are written down" in words(page)
    assert not Prospect.objects.exists()
    customers = ",".join(map(str, chosen))
    desk.post("/admin/referrals/customer/prospects/", {"customers": customers, "program": house.program.pk})
    assert set(Prospect.objects.values_list("customer_reference", flat=True)) == {"c-0", "c-1"}


def test_an_introduction_is_proposed_and_the_balance_stands_beside_the_partner(
    house: House, desk: Client
) -> None:
    first, second = house.member("ONE", owner=ana()).partner, house.member("TWO", owner=ada()).partner
    form = {"first": first.pk, "second": first.pk, "reason": "Both sell to gardeners."}
    assert desk.post("/admin/partners/introduction/propose/", form).status_code == 422
    desk.post("/admin/partners/introduction/propose/", {**form, "second": second.pk})
    made = Introduction.objects.get()
    assert "Has not said yes" in words(desk.get(f"/admin/partners/introduction/{made.pk}/change/"))
    page = words(desk.get(f"/admin/partners/partner/{first.pk}/change/"))
    assert "Introductions that wait for answers 1" in page
    desk.post(f"/admin/partners/introduction/{made.pk}/withdraw/")
    made.refresh_from_db()
    assert made.state == "withdrawn"


def test_today_counts_what_waits(house: House, desk: Client) -> None:
    ProspectFactory(owner=mats(), next_touch_on=timezone.localdate() - timedelta(days=1))
    assert "prospect to get back to" in words(desk.get("/admin/"))
