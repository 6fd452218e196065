"""Partners' servers are told of leads, sales and lines: once each, signed, again when they do not answer, and never inside the house."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from partners.models import Membership
from payouts.models import Postback, PostbackDelivery
from payouts.postbacks import addresses, sending, signing, telling
from prm.audit.models import AuditEvent
from prm.lib import outbound
from prm.lib.outbound import Guard
from prm.mail.models import OutgoingMail
from referrals import conversions
from referrals.models import Click, Code, Link
from tests.factories.tracking import PostbackDeliveryFactory, PostbackFactory
from tests.house import START, House, open_house
from tests.people import ada, ana, mats
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db

MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = MARCH_2 + timedelta(hours=1)
HERE = Guard({"http": (0,)}, lambda address: address.is_loopback)


@pytest.fixture
def house() -> House:
    house = open_house(percent="10")
    house.member("ANA10", owner=ana())
    return house


class Server:
    """A partner's server that answers with `status` and remembers what it was told."""

    def __init__(self) -> None:
        self.status, self.headers = 200, {}
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.calls.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


def add(
    house: House, url: str = "https://partner.example/hook", events: tuple[str, ...] = ("sale",)
) -> Postback:
    return addresses.add(house.members["ANA10"], url=url, events=events, by=ana(), at=START).postback


def listen(house: House, server: Server, events: tuple[str, ...] = ("sale",), query: str = "") -> Postback:
    postback = add(house, events=events)
    Postback.objects.filter(pk=postback.pk).update(url=server.url + query)
    postback.refresh_from_db()
    return postback


def test_a_sale_is_told_once_with_the_partner_s_own_part_and_signed(house: House, server: Server) -> None:
    postback = listen(house, server)
    outcome = house.sale("order-1", "120.00", "ANA10", MARCH_2)
    ids = [outcome.conversion_id or 0]
    assert [
        telling.tell_credits(ids, at=MARCH_2),
        telling.tell_credits(ids, at=LATER),
        telling.sweep(at=LATER),
    ] == [
        1,
        0,
        0,
    ]
    assert sending.send_due(at=LATER, guard=HERE) == 1
    assert sending.send_due(at=LATER, guard=HERE) == 0

    ((_path, headers, body),) = server.calls
    told = json.loads(body)
    assert told["type"] == "sale"
    facts = told["data"]
    assert (facts["order"], facts["amount"], facts["currency"], facts["code"], facts["share"]) == (
        "order-1",
        "120.00",
        "GBP",
        "ANA10",
        "1.000000",
    )
    # Worked out again as the specification says: HMAC-SHA256 over "id.timestamp.body" with the bytes of the secret.
    key = base64.urlsafe_b64decode(postback.secret.removeprefix("whsec_") + "=")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    delivery = PostbackDelivery.objects.get()
    assert (delivery.state, delivery.last_status, delivery.attempts) == ("sent", 200, 1)
    assert headers["webhook-id"] == delivery.public_id


def test_while_a_secret_is_rotated_both_sign(house: House) -> None:
    postback = add(house)
    before = postback.secret
    made = addresses.rotate(postback, by=ana(), at=LATER)
    headers = signing.headers_of(made.postback, name="pbd_1", body=b"{}", at=LATER + timedelta(hours=23))
    instant = headers["webhook-timestamp"]
    assert headers["webhook-signature"].split(" ") == [
        signing.signature(key, name="pbd_1", instant=instant, body=b"{}") for key in (made.secret, before)
    ]
    later = signing.headers_of(made.postback, name="pbd_1", body=b"{}", at=LATER + timedelta(hours=24))
    assert len(later["webhook-signature"].split(" ")) == 1


def test_leads_and_lines_are_told_to_those_who_want_them(house: House) -> None:
    add(house, events=("lead", "commission"))
    house.sale("signed-up", "0.00", "ANA10", MARCH_2, kind="signup")
    house.sale("order-1", "120.00", "ANA10", MARCH_2)
    house.rate(LATER)
    assert telling.sweep(at=LATER) == 2
    told = {row.event: json.loads(row.body)["data"] for row in PostbackDelivery.objects.all()}
    assert told["lead"]["order"] == "signed-up"
    assert (told["commission"]["amount"], told["commission"]["order"]) == ("12.00", "order-1")


def test_what_happened_before_is_not_told(house: House) -> None:
    house.sale("order-1", "120.00", "ANA10", MARCH_2)
    addresses.add(house.members["ANA10"], url="https://partner.example/", events=["sale"], by=ana(), at=LATER)
    assert telling.sweep(at=LATER) == 0


def test_the_query_is_filled_in_and_escaped(house: House, server: Server) -> None:
    listen(house, server, query="?c={click_id}&s={sub1}&a={amount}&n={nothing}&o={order}")
    link = Link.objects.create(
        membership=house.members["ANA10"],
        slug="ana",
        label="Home",
        destination_url="https://shop.halden.example/",
        created_at=START,
    )
    click = Click.objects.create(
        click_id="01J0000000000000000000CLCK", link=link, clicked_at=MARCH_2, sub_id="a-b"
    )
    Code.objects.update(is_active=False)
    event = house.event("order/1&x=2", "10.00", "", LATER)
    outcome = conversions.record(replace(event, click_id=click.click_id), at=LATER)
    telling.tell_credits([outcome.conversion_id or 0], at=LATER)
    sending.send_due(at=LATER, guard=HERE)
    ((path, _headers, _body),) = server.calls
    assert path == "/hook?c=01J0000000000000000000CLCK&s=a-b&a=10.00&n=&o=order%2F1%26x%3D2"


def test_a_call_that_fails_is_made_again_later_each_time(house: House, server: Server) -> None:
    listen(house, server)
    server.status = 500
    telling.tell_credits([house.sale("order-1", "1.00", "ANA10", MARCH_2).conversion_id or 0], at=MARCH_2)
    at, waits = LATER, []
    for _attempt in range(3):
        assert sending.send_due(at=at, guard=HERE) == 0
        delivery = PostbackDelivery.objects.get()
        assert delivery.next_at is not None
        waits.append(delivery.next_at - at)
        assert sending.send_due(at=delivery.next_at - timedelta(seconds=1), guard=HERE) == 0
        at = delivery.next_at
    assert waits == [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)]
    assert len(server.calls) == 3
    server.status = 200
    assert sending.send_due(at=at, guard=HERE) == 1
    assert Postback.objects.get().failures == 0


def test_a_server_may_ask_for_more_time(house: House, server: Server) -> None:
    listen(house, server)
    server.status, server.headers = 503, {"Retry-After": "3600"}
    telling.tell_credits([house.sale("order-1", "1.00", "ANA10", MARCH_2).conversion_id or 0], at=MARCH_2)
    sending.send_due(at=LATER, guard=HERE)
    assert PostbackDelivery.objects.get().next_at == LATER + timedelta(hours=1)


def test_an_address_that_goes_on_failing_is_switched_off_and_its_owner_told_once(
    house: House, server: Server
) -> None:
    postback = listen(house, server)
    server.status = 500
    telling.tell_credits([house.sale("order-1", "1.00", "ANA10", MARCH_2).conversion_id or 0], at=MARCH_2)
    at = LATER
    while Postback.objects.get().disabled_at is None:
        sending.send_due(at=at, guard=HERE)
        at += timedelta(hours=24)
    # 1, 2, 3 attempts within three days, then the third day is over.
    assert len(server.calls) == 4
    assert OutgoingMail.objects.filter(kind="postback_switched_off").count() == 1
    assert AuditEvent.objects.filter(action="postback.switched_off").exists()
    assert sending.send_due(at=at + timedelta(days=9), guard=HERE) == 0
    server.status = 200
    addresses.switch_on(postback, by=ana(), at=at)
    assert sending.send_due(at=at + timedelta(days=9), guard=HERE) == 1


def test_an_address_that_says_it_is_gone_is_switched_off_at_once(house: House, server: Server) -> None:
    listen(house, server)
    server.status = 410
    telling.tell_credits([house.sale("order-1", "1.00", "ANA10", MARCH_2).conversion_id or 0], at=MARCH_2)
    sending.send_due(at=LATER, guard=HERE)
    assert Postback.objects.get().disabled_because == "The answer was 410."


def test_nothing_inside_the_house_is_called(house: House, server: Server) -> None:
    # The name was harmless when it was set, and leads inside by now; the product's own guard is asked.
    postback = listen(house, server)
    Postback.objects.filter(pk=postback.pk).update(url="https://localhost/hook")
    telling.tell_credits([house.sale("order-1", "1.00", "ANA10", MARCH_2).conversion_id or 0], at=MARCH_2)
    assert sending.send_due(at=LATER) == 0
    assert server.calls == []
    inside = "The name of the host leads to no address on the public internet."
    assert PostbackDelivery.objects.get().last_error == inside
    # A name that is nowhere is told in the same words: nobody learns which names there are inside.
    Postback.objects.filter(pk=postback.pk).update(url="https://nowhere.invalid/hook")
    sending.send_due(at=LATER + timedelta(hours=1))
    assert PostbackDelivery.objects.get().last_error == inside


def test_an_address_that_was_switched_off_is_not_called_on_in_the_same_round(
    house: House, server: Server
) -> None:
    listen(house, server)
    server.status = 410
    ids = [house.sale(f"order-{n}", "1.00", "ANA10", MARCH_2).conversion_id or 0 for n in range(3)]
    telling.tell_credits(ids, at=MARCH_2)
    sending.send_due(at=LATER, guard=HERE)
    assert len(server.calls) == 1


def test_a_round_ends_before_its_claims_do(house: House, server: Server, monkeypatch: Any) -> None:
    listen(house, server)
    telling.tell_credits([house.sale("order-1", "1.00", "ANA10", MARCH_2).conversion_id or 0], at=MARCH_2)
    assert timedelta(seconds=sending.LONGEST_SECONDS + outbound.SECONDS) < sending.LEASE
    monkeypatch.setattr(sending, "LONGEST_SECONDS", 0.0)
    assert sending.send_due(at=LATER, guard=HERE) == 0
    assert server.calls == []
    monkeypatch.undo()
    assert sending.send_due(at=LATER, guard=HERE) == 1


def test_twenty_tests_an_hour_are_the_most(house: House) -> None:
    postback = add(house)
    for _nth in range(20):
        telling.test_call(postback, at=MARCH_2)
    with pytest.raises(telling.TooManyTests):
        telling.test_call(postback, at=LATER - timedelta(minutes=1))
    telling.test_call(postback, at=LATER)


def test_a_worker_that_dies_loses_no_call(house: House, server: Server) -> None:
    listen(house, server)
    telling.tell_credits([house.sale("order-1", "1.00", "ANA10", MARCH_2).conversion_id or 0], at=MARCH_2)
    (claimed,) = sending._claim(at=LATER, limit=5)  # and then nothing: it was killed
    assert sending.send_due(at=LATER + timedelta(minutes=1), guard=HERE) == 0
    assert sending.send_due(at=LATER + sending.LEASE, guard=HERE) == 1
    assert PostbackDelivery.objects.get(pk=claimed.pk).attempts == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://a@partner.example/",
        "x",
        "https://p.example/" + "a" * 500,
    ],
)
def test_addresses_that_may_not_be_called_are_refused(house: House, url: str) -> None:
    with pytest.raises(addresses.BadAddress):
        add(house, url)
    assert not Postback.objects.exists()


def test_five_are_the_most_and_each_is_set_once(house: House) -> None:
    for number in range(5):
        add(house, f"https://partner.example/{number}")
    with pytest.raises(addresses.SameAgain):
        add(house, "https://partner.example/4")
    with pytest.raises(addresses.TooMany):
        add(house, "https://partner.example/5")
    addresses.remove(Postback.objects.order_by("pk")[0], by=ana(), at=LATER)
    add(house, "https://partner.example/5")
    assert Postback.objects.in_use().count() == 5


@pytest.mark.parametrize("events", [[], ["sale", "ledger"]])
def test_events_nobody_knows_are_refused(house: House, events: list[str]) -> None:
    with pytest.raises(addresses.NoEvents):
        addresses.add(
            house.members["ANA10"], url="https://partner.example/", events=events, by=ana(), at=START
        )


def test_only_the_partner_s_own_team_sets_postbacks(house: House) -> None:
    for stranger in (mats(), ada()):
        with pytest.raises(addresses.NotYours):
            addresses.add(
                house.members["ANA10"], url="https://partner.example/", events=["sale"], by=stranger, at=START
            )


def test_a_banned_partner_is_told_nothing_more(house: House) -> None:
    add(house)
    outcome = house.sale("order-1", "1.00", "ANA10", MARCH_2)
    Membership.objects.update(state="banned", ended_at=LATER)
    assert telling.tell_credits([outcome.conversion_id or 0], at=LATER) == 0


def test_a_secret_is_in_no_log_and_no_record(house: House) -> None:
    made = addresses.add(
        house.members["ANA10"], url="https://partner.example/?key=hush", events=["sale"], by=ana(), at=START
    )
    assert made.secret not in repr(made)
    told = json.dumps(list(AuditEvent.objects.values_list("details", flat=True)))
    assert made.secret not in told and "hush" not in told


def test_payouts_postback_disabled_has_a_reason() -> None:
    assert_refused(
        "payouts_postback_disabled_has_a_reason", Postback, lambda: PostbackFactory(disabled_at=LATER)
    )


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("payouts_postbackdelivery_event", {"event": "gossip"}),
        ("payouts_postbackdelivery_state", {"state": "lost"}),
    ],
)
def test_payouts_postbackdelivery_words(name: str, wrong: dict[str, str]) -> None:
    assert_refused(name, PostbackDelivery, lambda: PostbackDeliveryFactory(**wrong))


def test_payouts_postbackdelivery_once() -> None:
    first = PostbackDeliveryFactory()
    assert_refused(
        "payouts_postbackdelivery_once",
        PostbackDelivery,
        lambda: PostbackDeliveryFactory(postback=first.postback, key=first.key),
    )


def test_what_a_call_says_stays_said() -> None:
    call = PostbackDeliveryFactory()
    with pytest.raises(IntegrityError, match="A call says what it said"), transaction.atomic():
        PostbackDelivery.objects.filter(pk=call.pk).update(body="{}}")
    assert PostbackDelivery.objects.get().body == "{}"
