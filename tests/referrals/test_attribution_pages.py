"""The pages on which staff say how credit is given, how links behave, who brought a customer and what partners told."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from prm.audit.models import AuditEvent
from referrals.attribution.settings import read
from referrals.models import AttributionVersion, Customer, Referral, Touch, TrackingSettings
from tests.desk import at_desk, words
from tests.factories.referrals import ConversionFactory, CreditFactory, CustomerFactory, new_membership
from tests.factories.tracking import ReferralFactory
from tests.people import ada, fiona, mats
from tiers.models import Program

pytestmark = pytest.mark.django_db
VERSIONS, CUSTOMERS, TOUCHES = (
    f"/admin/referrals/{name}/" for name in ("attributionversion", "customer", "touch")
)
# As the form of a first draft stands, without the field names of other pages.
WRITTEN = {
    "rank_deal": "1",
    "rank_code": "2",
    "rank_click": "2",
    "model": "time_decay",
    "half_life": "36",
    "half_life_unit": "hours",
    "window_click": "14",
    "window_click_unit": "days",
    "window_lead": "90",
    "window_lead_unit": "days",
    "window_intro": "180",
    "window_intro_unit": "days",
    "window_view": "24",
    "window_view_unit": "hours",
    "recurring_months": "",
    "customers": "new",
    "kinds": ["sale"],
    "least": "20.50",
    "countries": "France, gb",
    "attributes": "channel = web",
}


def a_draft(program: Program) -> AttributionVersion:
    client = at_desk(ada())
    client.post(f"{VERSIONS}begin/{program.pk}/")
    return AttributionVersion.objects.get(program=program, state="draft")


def test_a_draft_is_written_read_in_words_and_published() -> None:
    program = new_membership().program
    row, client = a_draft(program), at_desk(ada())
    preview = client.post(f"{VERSIONS}{row.pk}/edit/", {**WRITTEN, "preview": "1"})
    assert "one that is 36 hours older weighs half" in words(preview)
    row.refresh_from_db()
    assert read(row.definition).model == "last_touch"  # a preview saves nothing
    client.post(f"{VERSIONS}{row.pk}/edit/", WRITTEN)
    row.refresh_from_db()
    settings = read(row.definition)
    assert settings.precedence == (("deal",), ("code", "click"))
    assert (settings.half_life_hours, settings.window_hours["click"], settings.window_hours["view"]) == (
        36,
        336,
        24,
    )
    assert settings.recurring_months is None
    asks = settings.qualifies
    assert (asks.kinds, asks.least_minor, asks.countries) == (("sale",), 20_50, ("FR", "GB"))
    assert (asks.attributes, asks.customers) == ((("channel", "web"),), "new")
    page = client.get(f"{VERSIONS}{row.pk}/publish/")
    assert "Active members are told by mail" in words(page)
    client.post(f"{VERSIONS}{row.pk}/publish/", {"effective_on": ""})
    row.refresh_from_db()
    assert row.state == "published"
    assert "This version is in force." in words(client.get(f"{VERSIONS}{row.pk}/change/"))
    assert client.get(f"{VERSIONS}{row.pk}/edit/").status_code == 404


def test_errors_of_a_draft_stand_at_their_fields_and_what_was_typed_stays() -> None:
    row, client = a_draft(new_membership().program), at_desk(ada())
    for changes, said in (
        ({"rank_deal": "", "rank_code": "", "rank_click": ""}, "At least one kind of contact has to count."),
        ({"window_click": "401"}, "At most 400 days."),
        ({"countries": "Atlantis"}, "No country is called Atlantis."),
        ({"attributes": "channel"}, "as a name, an equals sign and a value"),
        ({"least": "-1"}, "must not be negative"),
    ):
        page = client.post(f"{VERSIONS}{row.pk}/edit/", {**WRITTEN, **changes})
        assert page.status_code == 422 and said in words(page)
        assert "Error: " in page.content.decode()
    row.refresh_from_db()
    assert read(row.definition).model == "last_touch"


def test_a_published_change_cannot_begin_in_the_past() -> None:
    row, client = a_draft(new_membership().program), at_desk(ada())
    client.post(f"{VERSIONS}{row.pk}/publish/", {"effective_on": ""})
    row.refresh_from_db()
    assert row.state == "draft"  # nothing was changed, so nothing is published
    client.post(f"{VERSIONS}{row.pk}/edit/", WRITTEN)
    client.post(f"{VERSIONS}{row.pk}/publish/", {"effective_on": ""})
    new = a_draft(row.program)
    client.post(f"{VERSIONS}{new.pk}/edit/", {**WRITTEN, "model": "linear"})
    page = client.post(f"{VERSIONS}{new.pk}/publish/", {"effective_on": "2020-01-01"})
    assert page.status_code == 422 and "a new version begins now or later" in words(page)


def test_account_managers_read_how_credit_is_given_and_do_not_write_it() -> None:
    program = new_membership().program
    row, client = a_draft(program), at_desk(mats())
    assert client.get(VERSIONS).status_code == 200
    assert "In words" in words(client.get(f"{VERSIONS}{row.pk}/change/"))
    for address in (
        f"begin/{program.pk}/",
        f"{row.pk}/edit/",
        f"{row.pk}/publish/",
        f"{row.pk}/discard/",
    ):
        assert client.get(f"{VERSIONS}{address}").status_code == 403
    assert client.get(f"/admin/tiers/program/{program.pk}/tracking/").status_code == 403


def test_tracking_settings_are_saved_and_what_changed_is_on_record(settings: Any) -> None:
    settings.LINK_HOSTS = frozenset({"go.halden.example"})
    program, client = new_membership().program, at_desk(ada())
    address = f"/admin/tiers/program/{program.pk}/tracking/"
    client.post(address, {"link_host": "go.halden.example", "counts_views": "on"})
    row = TrackingSettings.objects.get()
    assert (row.link_host, row.sets_cookie, row.counts_views) == ("go.halden.example", False, True)
    event = AuditEvent.objects.get(action="tracking.changed")
    assert event.details["after"] == {
        "link_host": "go.halden.example",
        "sets_cookie": False,
        "counts_views": True,
    }
    assert client.post(address, {"link_host": "evil.example"}).status_code == 422
    assert "go.halden.example" in words(client.get(f"/admin/tiers/program/{program.pk}/change/"))


def a_credited_customer() -> Referral:
    row = ReferralFactory.create()
    conversion = ConversionFactory.create(customer=row.customer, external_id="order-77")
    CreditFactory.create(conversion=conversion, membership=row.membership)
    return row


def test_a_customer_shows_who_brought_it_and_is_transferred_with_a_reason() -> None:
    row, client = a_credited_customer(), at_desk(mats())
    other = new_membership(name="Second agency")
    other.program = row.program
    other.save()
    customer: Customer = row.customer
    page = words(client.get(f"{CUSTOMERS}{customer.pk}/change/"))
    assert row.membership.partner.name in page and "order-77" in page
    address = f"{CUSTOMERS}{customer.pk}/transfer/{row.program_id}/"
    asked = {"to": other.pk, "window": "rest", "seen": row.pk}
    assert client.post(address, asked).status_code == 422
    client.post(address, {**asked, "reason": "They changed their agency."})
    assert Referral.objects.open().get(customer=customer).membership == other
    page = words(client.get(f"{CUSTOMERS}{customer.pk}/change/"))
    assert "Second agency" in page and "They changed their agency." in page and "Before" in page
    # The page that somebody else still has open is about an owner who is none any more.
    late = client.post(address, {**asked, "to": row.membership_id, "reason": "Back again."})
    assert late.status_code == 422 and "another owner by now" in words(late)


def test_an_end_is_told_with_its_reason_and_finance_only_looks() -> None:
    row = a_credited_customer()
    address = f"{CUSTOMERS}{row.customer_id}/end/{row.pk}/"
    assert at_desk(fiona()).get(address).status_code == 403
    assert "Transfer" not in words(at_desk(fiona()).get(f"{CUSTOMERS}{row.customer_id}/change/"))
    at_desk(mats()).post(address, {"reason": "Asked by the customer."})
    page = words(at_desk(mats()).get(f"{CUSTOMERS}{row.customer_id}/change/"))
    assert "Nobody owns it now" in page and "Asked by the customer." in page


def test_a_deal_is_told_and_withdrawn_at_a_desk() -> None:
    membership, customer = new_membership(), CustomerFactory.create()
    client = at_desk(mats())
    today = timezone.localdate().isoformat()
    asked = {"membership": membership.pk, "kind": "deal", "reference": "D-1", "day": today}
    wrong = client.post(f"{TOUCHES}tell/", {**asked, "customer": "nobody", "ends_on": "2020-01-01"})
    assert wrong.status_code == 422 and "No customer has this id" in words(wrong)
    client.post(f"{TOUCHES}tell/", {**asked, "customer": customer.external_id})
    touch = Touch.objects.get()
    assert (touch.customer, touch.kind, touch.membership) == (customer, "deal", membership)
    assert client.get(TOUCHES).status_code == 200
    client.post(f"{TOUCHES}{touch.pk}/withdraw/", {"because": "Another company."})
    assert "Another company." in words(client.get(f"{TOUCHES}{touch.pk}/change/"))
    assert at_desk(fiona()).get(f"{TOUCHES}tell/").status_code == 403
