"""Doors for conversions without an API key: a signed address for servers, and a picture for browsers that is believed only about clicks we
know. Whatever they are told, they answer with a code and a field, and never with an error of ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from prm.accounts import policy
from prm.audit.models import AuditEvent
from referrals import inlet_events, inlet_signing, inlet_views, inlets
from referrals.models import Click, Conversion, Credit, Inlet
from tests.factories.prm import UserFactory
from tests.factories.referrals import NOW, ClickFactory, CodeFactory, ConversionFactory
from tests.factories.tracking import InletFactory

pytestmark = pytest.mark.django_db

SECRET = "prm_in_example_secret"  # the one of docs/tracking-guide.md
SALE = {"event_id": "order-1", "kind": "sale", "amount": "59.90", "currency": "GBP"}


@pytest.fixture(autouse=True)
def fresh_minute() -> None:
    inlet_views._calls.forget()
    inlet_views._wrong.forget()


def door(**fields: Any) -> Inlet:
    inlet: Inlet = InletFactory.create(**{"secret": SECRET, "kinds": ["sale", "refund"], **fields})
    return inlet


def tell(inlet: Inlet, *, secret: str = SECRET, by_post: bool = False, **values: str) -> Any:
    told = {**SALE, **values}
    told["sig"] = inlet_signing.sign(told, secret)
    address = reverse("inlet", args=[inlet.public_id])
    if by_post:
        query = "&".join(f"{name}={value}" for name, value in told.items())
        return Client().post(address, query, content_type="application/x-www-form-urlencoded")
    return Client().get(address, dict(reversed(told.items())))


# Worked out with `openssl dgst -sha256 -hmac`.
VECTORS = [
    (
        {
            "kind": "sale",
            "event_id": "order-10023",
            "amount": "59.90",
            "currency": "EUR",
            "customer_id": "Köhler & Söhne",
            "click_id": "01JD8Z0M6V4R2K8T9Q3W5X7Y1A",
        },
        "8ef95774c6bf218a8ef40b2e306cf5c312524160080bea74d8c71ec219156733",
    ),
    (
        {
            "event_id": "a+b c~/1",
            "kind": "sale",
            "amount": "5",
            "currency": "GBP",
            "ts": "1795356180",
            "sig": "x",
        },
        "f5d88c7ea07749536278121c8348ebef99c542d4e4ac7290c0d75f2bdaea8249",
    ),
]


@pytest.mark.parametrize(("values", "signature"), VECTORS)
def test_signatures_are_those_of_another_program(values: dict[str, str], signature: str) -> None:
    assert inlet_signing.sign(values, SECRET) == signature


def test_a_signed_sale_is_recorded_once_and_credited_to_the_code() -> None:
    code = CodeFactory.create(code="ANA-1")
    inlet = door()
    first = tell(inlet, code="ana-1", customer_id="C1", quantity="2", product="85123A")
    assert first.status_code == 201, first.content
    row = Conversion.objects.get()
    assert first.json() == {"id": row.public_id, "event_id": "order-1", "status": "created"}
    assert (row.channel, row.source, row.amount_minor, row.quantity) == ("postback", "shop", 5990, 2)
    assert Credit.objects.get().membership_id == code.membership_id
    again = tell(inlet, code="ana-1", customer_id="C1", quantity="2", product="85123A", by_post=True)
    assert (again.status_code, again.json()["status"]) == (200, "replayed")
    inlet.refresh_from_db()
    assert inlet.last_used_at is not None


def test_other_facts_under_the_same_id_change_nothing() -> None:
    inlet = door()
    tell(inlet)
    other = tell(inlet, amount="60.00")
    assert (other.status_code, other.json()["code"]) == (409, "other_body")
    assert Conversion.objects.get().amount_minor == 5990


def test_any_change_of_what_was_signed_is_refused() -> None:
    inlet = door()
    told = {**SALE, "sig": inlet_signing.sign(SALE, SECRET)}
    address = reverse("inlet", args=[inlet.public_id])
    for change in ({"amount": "5990"}, {"code": "X"}, {"sig": ""}, {"sig": "é"}):
        response = Client().get(address, {**told, **change})
        assert (response.status_code, response.json()["code"]) == (401, "bad_signature"), change
    assert Client().get(address, SALE).status_code == 401
    assert not Conversion.objects.exists()


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"event_id": ""}, "event_id", "missing"),
        ({"event_id": "x" * 101}, "event_id", "too_long"),
        ({"kind": "sold"}, "kind", "unknown_kind"),
        ({"kind": "renewal"}, "kind", "kind_not_allowed"),
        ({"amount": "-1"}, "amount", "negative"),
        ({"amount": "NaN"}, "amount", "not_an_amount"),
        ({"amount": "1e999999"}, "amount", "not_an_amount"),
        ({"amount": "9" * 30}, "amount", "too_large"),
        ({"currency": "XXX"}, "currency", "unknown_currency"),
        ({"occurred_at": "soon"}, "occurred_at", "not_a_date"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at", "in_the_future"),
        ({"code": "NOBODY"}, "code", "unknown_code"),
        ({"customer_email_sha256": "kim@example.org"}, "customer_email_sha256", "not_a_hash"),
        ({"quantity": "1.5"}, "quantity", "not_a_quantity"),
        ({"colour": "red"}, "colour", "unknown_field"),
        ({"ts": "0"}, "ts", "stale"),
    ],
)
def test_each_fault_has_its_field_and_code(values: dict[str, str], field: str, code: str) -> None:
    response = tell(door(), **values)
    assert 400 <= response.status_code < 500
    body = response.json()
    assert (list(body["errors"]), body["code"]) == ([field], code)
    assert not Conversion.objects.exists()


@pytest.mark.parametrize(
    "query",
    ["event_id=1&event_id=2", "event_id=%ff", "&".join(f"a{n}=1" for n in range(50)), "a=" + "x" * 9000],
)
def test_what_is_no_list_of_parameters_is_refused(query: str) -> None:
    address = reverse("inlet", args=[door().public_id])
    assert Client().get(f"{address}?{query}").status_code == 400
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert Client().post(address, query, **form).status_code == 400  # type: ignore[arg-type]
    assert Client().post(address, "{}", content_type="application/json").status_code == 400


def test_a_time_is_asked_for_where_the_inlet_says_so() -> None:
    inlet = door(needs_time=True)
    assert tell(inlet).json()["code"] == "stale"
    now = int(timezone.now().timestamp())
    assert tell(inlet, ts=str(now - 301)).status_code == 401
    assert tell(inlet, ts=str(now)).status_code == 201


def test_a_renewed_secret_lets_the_one_before_hold_for_a_week() -> None:
    ada = UserFactory.create(role=policy.ADMINISTRATOR)
    opened = inlets.create(name="Till", kind="postback", source="till", kinds=["sale"], by=ada, at=NOW)
    renewed = inlets.rotate(opened.inlet, by=ada, at=NOW)
    assert renewed.secret != opened.secret and opened.secret not in repr(opened)
    inlet = Inlet.objects.get()
    assert inlets.secrets_of(inlet, at=NOW + timedelta(days=7, seconds=-1)) == [renewed.secret, opened.secret]
    assert inlets.secrets_of(inlet, at=NOW + timedelta(days=7)) == [renewed.secret]
    assert not any(opened.secret in str(event.details) for event in AuditEvent.objects.all())
    inlets.close(inlet, by=ada, at=NOW)
    assert tell(inlet, secret=renewed.secret).status_code == 410
    with pytest.raises(inlets.Closed):
        inlets.rotate(inlet, by=ada, at=NOW)


def test_only_administrators_open_inlets_and_pixels_never_tell_refunds() -> None:
    with pytest.raises(policy.Forbidden):
        mats = UserFactory.create(role=policy.ACCOUNT_MANAGER)
        inlets.create(name="x", kind="pixel", source="x", kinds=["sale"], by=mats, at=NOW)
    ada = UserFactory.create(role=policy.ADMINISTRATOR)
    for kinds in ([], ["refund"], ["sale", "renewal"], ["nothing"]):
        with pytest.raises(inlets.BadKinds):
            inlets.create(name="x", kind="pixel", source="x", kinds=kinds, by=ada, at=NOW)


def test_a_pixel_shares_its_source_with_no_server() -> None:
    """Else anybody could use up the numbers of orders to come, or become the one who brought a shop's customers."""
    ada = UserFactory.create(role=policy.ADMINISTRATOR)

    def opened(kind: str, source: str) -> Inlet:
        return inlets.create(name="x", kind=kind, source=source, kinds=["sale"], by=ada, at=NOW).inlet

    ConversionFactory.create(source="shop", channel="api")
    ConversionFactory.create(source="page", channel="pixel")
    till = opened("postback", "till")
    for source in ("shop", "till"):
        with pytest.raises(inlets.SharedSource):
            opened("pixel", source)
    assert opened("pixel", "page") and opened("pixel", "page")  # pixels may share
    with pytest.raises(inlets.SharedSource):
        opened("postback", "page")
    inlets.close(till, by=ada, at=NOW)
    assert opened("pixel", "till")


def test_many_wrong_signatures_are_asked_to_wait_and_right_ones_still_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inlet_views, "WRONG_A_MINUTE", 2)
    inlet = door()
    states = [tell(inlet, secret="wrong").status_code for _try in range(3)]
    assert states == [401, 401, 429]
    assert tell(inlet).status_code == 201


# The picture ---------------------------------------------------------------------------------------------------------


def picture(inlet: Inlet, *, headers: dict[str, str] | None = None, **values: str) -> str:
    told = {**SALE, **values}
    response = Client(headers=headers or {}).get(reverse("pixel", args=[inlet.public_id]), told)
    assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
    assert (len(response.content), response["Cache-Control"]) == (43, "no-store")
    return str(response["X-PRM-Result"])


def clicked(ago: timedelta = timedelta(hours=1), **fields: Any) -> Click:
    click: Click = ClickFactory.create(clicked_at=timezone.now() - ago, **fields)
    type(click.link.membership).objects.filter(pk=click.link.membership_id).update(
        joined_at=timezone.now() - timedelta(days=900)
    )
    return click


def test_a_picture_is_believed_about_a_click_we_know() -> None:
    click = clicked()
    inlet = door(kind="pixel", secret="", kinds=["sale"])
    assert picture(inlet, click_id=click.click_id, _="123") == "created"
    assert picture(inlet, click_id=click.click_id) == "replayed"
    assert picture(inlet, click_id=click.click_id, amount="60") == "other_body"
    row = Conversion.objects.get()
    assert (row.channel, Credit.objects.get().membership_id) == ("pixel", click.link.membership_id)


def test_a_picture_about_anything_else_records_nothing() -> None:
    inlet = door(kind="pixel", secret="", kinds=["sale", "signup"])
    days = clicked().link.membership.program.cookie_days
    cases = [
        ({}, "unknown_click"),
        ({"click_id": "0" * 26}, "unknown_click"),
        ({"click_id": clicked(kind="bot").click_id}, "unknown_click"),
        ({"click_id": clicked(ago=timedelta(days=days, seconds=1)).click_id}, "old_click"),
        ({"click_id": clicked().click_id, "kind": "refund"}, "kind_not_allowed"),
        ({"click_id": clicked().click_id, "amount": "NaN"}, "not_an_amount"),
        ({"click_id": clicked().click_id, "sig": "a" * 64, "colour": "red"}, "unknown_field"),
    ]
    assert [picture(inlet, **values) for values, _why in cases] == [why for _values, why in cases]
    assert picture(inlet, headers={"Sec-GPC": "1"}, click_id=clicked().click_id) == "opted_out"
    Inlet.objects.update(closed_at=NOW)
    assert picture(inlet, click_id=clicked().click_id) == "closed"
    assert picture(door(), click_id=clicked().click_id) == "not_found"  # one for servers is no picture
    assert not Conversion.objects.exists()


def test_an_untold_time_is_that_of_the_first_telling_even_for_two_at_once() -> None:
    inlet = door()
    event = inlet_events._event(inlet, SALE, at=NOW)
    first = inlet_events._recorded(inlet, event, is_timed=False, at=NOW)
    later = inlet_events._event(inlet, SALE, at=NOW + timedelta(minutes=3))
    again = inlet_events._recorded(inlet, later, is_timed=False, at=NOW + timedelta(minutes=3))
    assert (first.status, again.status, again.public_id) == ("created", "replayed", first.public_id)
