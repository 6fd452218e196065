"""The door of tracked links, before Django and behind it: what is answered, what is written down, by both ways a click can take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client

from referrals import addresses, clicks, door, limiter, own_visits, stream, targets
from referrals.models import AddressKey, Click, RollupMark
from referrals.targets import Memory
from tests.factories.referrals import NOW, ClickFactory, ConversionFactory, LinkFactory, new_membership
from tests.factories.tracking import AddressKeyFactory, TrackingSettingsFactory
from tests.referrals.visiting import FIREFOX, visit, written

KNOWN = "01k" + "a" * 23
SHOP = "https://shop.example/start"
pytestmark = pytest.mark.django_db


@pytest.fixture(params=["database", pytest.param("stream", marks=pytest.mark.needs_redis)])
def sink(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Let clicks go straight to the database, and through the stream."""
    if request.param == "stream":
        settings.CLICK_STREAM = os.environ["REDIS_URL"]
        stream.client().delete(stream.KEY, stream.DEAD)
    yield request.param
    if request.param == "stream":
        stream.client().delete(stream.KEY, stream.DEAD)


def test_a_visit_writes_its_click_and_sends_the_visitor_on(sink: str) -> None:
    membership = new_membership(time_zone="America/New_York")
    link = LinkFactory.create(slug="spring", membership=membership, campaign="easter")
    told = visit(
        "/r/Spring",
        query="sub=mail&sub3=c&gclid=secret&utm_source=news",
        HTTP_REFERER="https://blog.example/p?x=1",
    )
    (click,) = written()
    assert (told.status, told.body) == (302, b"")
    assert told["Location"] == f"{SHOP}?utm_source=news&prm_click={click.click_id}"
    assert told["Cache-Control"] == "no-store"
    assert told["Referrer-Policy"] == "no-referrer-when-downgrade"
    assert told["Set-Cookie"] == (
        f"prm_visitor={click.visitor}; Max-Age={30 * 86_400}; Path=/r/; HttpOnly; SameSite=Lax"
    )
    assert (click.link_id, click.kind, click.referrer_host) == (link.pk, "person", "blog.example")
    assert (click.sub_id, click.sub2, click.sub3, click.campaign) == ("mail", "", "c", "easter")
    assert (click.ad_parameter, len(click.address_hash), len(click.agent_hash)) == ("gclid", 32, 16)
    assert abs(datetime.now(UTC) - click.clicked_at) < timedelta(minutes=1)
    mark = RollupMark.objects.get()
    assert (mark.program_id, mark.happened_on) == (
        membership.program_id,
        click.clicked_at.astimezone(membership.program.zone).date(),
    )


def test_the_view_of_django_gives_the_same_answer(sink: str, settings: Any) -> None:
    settings.IS_HTTPS = True
    LinkFactory.create(slug="spring")
    before = visit("/r/spring", query="sub=a", HTTP_COOKIE=f"prm_visitor={KNOWN}")
    behind = Client(headers={"user-agent": FIREFOX}).get(
        "/r/spring?sub=a", headers={"cookie": f"prm_visitor={KNOWN}"}
    )
    first, second = written()
    assert before["Location"] == f"{SHOP}?prm_click={first.click_id}"
    assert behind.headers["Location"] == f"{SHOP}?prm_click={second.click_id}"
    for name, value in before.headers:
        if name not in ("Location", "Content-Length"):
            assert behind.headers[name] == value, name
    assert "; Secure" in before["Set-Cookie"]
    assert (first.visitor, first.sub_id) == (second.visitor, second.sub_id) == (KNOWN, "a")


def test_what_is_no_person_is_written_down_apart_and_carries_no_click_id(sink: str) -> None:
    LinkFactory.create(slug="spring")
    visit("/r/spring", HTTP_USER_AGENT="Googlebot/2.1")
    visit("/r/spring", method="HEAD")
    visit("/r/spring", HTTP_SEC_PURPOSE="prefetch")
    assert visit("/r/spring", HTTP_USER_AGENT="Twitterbot/1.0")["Location"] == SHOP
    assert sorted(click.kind for click in written()) == ["bot", "bot", "prefetch", "preview"]
    assert not Click.objects.of_people().exists()


@pytest.mark.parametrize("wish", ["HTTP_SEC_GPC", "HTTP_DNT"])
def test_of_whoever_asks_not_to_be_tracked_only_the_click_is_kept(sink: str, wish: str) -> None:
    LinkFactory.create(slug="spring")
    told = visit("/r/spring", HTTP_REFERER="https://blog.example/", **{wish: "1"})
    (click,) = written()
    assert told["Location"] == f"{SHOP}?prm_click={click.click_id}"
    assert told["Set-Cookie"] == ""
    known = (click.visitor, click.address_hash, click.agent_hash, click.referrer_host, click.country)
    assert known == ("",) * 5


def test_a_program_without_cookies_sets_none(sink: str) -> None:
    link = LinkFactory.create(slug="spring")
    TrackingSettingsFactory.create(program=link.membership.program, sets_cookie=False)
    assert visit("/r/spring")["Set-Cookie"] == ""
    assert [click.visitor for click in written()] == [""]


def test_a_banner_answers_a_point_and_is_seen_where_views_count(sink: str) -> None:
    link = LinkFactory.create(slug="spring")
    LinkFactory.create(slug="other")
    TrackingSettingsFactory.create(program=link.membership.program, counts_views=True)
    for slug in ("spring", "other", "nothing"):
        told = visit(f"/i/{slug}.gif", HTTP_SEC_FETCH_DEST="image")
        assert (told.status, told["Content-Type"], len(told.body)) == (200, "image/gif", 43)
        assert told["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert [(click.kind, click.link_id) for click in written()] == [("view", link.pk)]
    behind = Client(headers={"user-agent": FIREFOX}).get("/i/other.gif")
    assert (behind.status_code, behind.content) == (200, door.PIXEL)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"is_active": False}, 410),
        ({"expires_at": NOW}, 410),
        ({"destination_url": "https://elsewhere.example/"}, 410),
        ({"destination_url": "http://testserver/r/spring"}, 410),
        (None, 404),
    ],
)
def test_every_link_that_leads_nowhere_reads_alike(changes: dict[str, Any] | None, status: int) -> None:
    if changes is not None:
        LinkFactory.create(slug="spring", **changes)
    told = visit("/r/spring")
    assert (told.status, told["Cache-Control"], told["Set-Cookie"]) == (status, "no-store", "")
    assert "This link is not available" in told.body.decode()
    assert not Click.objects.exists()


def test_other_methods_write_nothing() -> None:
    LinkFactory.create(slug="spring")
    assert visit("/r/spring", method="POST").status == 405
    assert not Click.objects.exists()


def test_a_replaced_link_leads_where_its_last_replacement_leads_and_five_steps_far() -> None:
    membership = new_membership()
    last = None
    for number in range(7):
        last = LinkFactory.create(
            slug=f"step-{number}",
            membership=membership,
            replacement=last,
            is_active=last is None,
            destination_url=f"{SHOP}/{number}",
        )
    found = targets.find("step-5")
    assert found is not None and (found.leads_somewhere, found.url) == (True, f"{SHOP}/0")
    assert visit("/r/step-6").status == 410


# A domain of its own -------------------------------------------------------------------------------------------------


def test_a_host_of_links_serves_links_and_nothing_else(settings: Any, sink: str) -> None:
    settings.LINK_HOSTS = frozenset({"go.example"})
    settings.ALLOWED_HOSTS = ["go.example", "testserver"]
    LinkFactory.create(slug="spring")
    told = visit("/spring", HTTP_HOST="GO.example:8443")
    assert told["Location"].startswith(f"{SHOP}?prm_click=")
    assert "; Path=/; " in told["Set-Cookie"]
    assert visit("/r/spring", HTTP_HOST="go.example").status == 302
    assert visit("/i/spring.gif", HTTP_HOST="go.example").status == 200
    for path in (
        "/",
        "/admin/",
        "/portal/",
        "/nothing",
        "/accounts/login/",
        "/spring/",
        "/api/v1/conversions",
    ):
        nowhere = visit(path, HTTP_HOST="go.example")
        assert nowhere.status == 404, path
        assert "This link is not available" in nowhere.body.decode()
    assert visit("/accounts/login/", HTTP_HOST="go.example.").status == 404  # a full name, the same host
    assert visit("/spring").status == 404  # the site's own host has other pages there
    assert len(written()) == 2


def test_without_encryption_visitors_are_first_sent_to_it(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    LinkFactory.create(slug="spring")
    assert visit("/r/spring", HTTP_X_FORWARDED_PROTO="https").status == 302
    assert visit("/r/spring", **{"wsgi.url_scheme": "https"}).status == 302
    assert len(written()) == 2


def test_over_encryption_browsers_are_told_to_stay_with_it_as_on_every_page(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD = True, False
    LinkFactory.create(slug="spring")
    for path in ("/r/spring", "/i/spring.gif"):
        told = visit(path, **{"wsgi.url_scheme": "https"})
        assert told["Strict-Transport-Security"] == "max-age=60; includeSubDomains", path
    assert not visit("/r/spring")["Strict-Transport-Security"]


# What it costs, and for how long it is believed ----------------------------------------------------------------------


def test_a_remembered_link_costs_no_query_and_a_new_one_costs_one(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(targets.memory, "seconds", 60.0)
    monkeypatch.setattr(clicks, "record", lambda hit, target: True)
    monkeypatch.setitem(addresses._keys, datetime.now(UTC).date(), b"key")
    first = LinkFactory.create(slug="spring", membership=new_membership(allowed_domains=["blog.example"]))
    LinkFactory.create(slug="old", membership=first.membership, replacement=first, is_active=False)
    for slug in ("spring", "old"):
        with django_assert_num_queries(1):
            assert visit(f"/r/{slug}").status == 302
        with django_assert_num_queries(0):
            assert visit(f"/r/{slug}").status == 302
    with django_assert_num_queries(1):
        assert targets.find("nothing") is None
    with django_assert_num_queries(0):
        assert targets.find("nothing") is None
        assert targets.find("-not-a-slug") is None


def test_a_click_written_at_once_costs_two_rows_and_their_transaction(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(targets.memory, "seconds", 60.0)
    monkeypatch.setitem(addresses._keys, datetime.now(UTC).date(), b"key")
    LinkFactory.create(slug="spring")
    visit("/r/spring")
    # The click, the mark of its day, and two transactions begun and ended around them; COPY is not counted.
    with django_assert_num_queries(6, exact=False):
        visit("/r/spring")


def test_what_is_remembered_is_believed_for_one_second_and_no_longer() -> None:
    now, known = [100.0], {}
    read = mock.Mock(side_effect=lambda slugs: {slug: known[slug] for slug in slugs if slug in known})
    memory = Memory(read, clock=lambda: now[0])
    assert targets.SECONDS == 1.0
    assert memory.find("a") is None
    known["a"] = "second"
    now[0] += 0.999
    assert memory.find("a") is None
    now[0] += 0.001
    assert memory.find("a") == "second"
    read.side_effect = DatabaseError
    now[0] += 3600
    # Nobody can have switched it off meanwhile.
    assert memory.find("a") == "second"
    with pytest.raises(DatabaseError):
        memory.find("never read")


def test_busy_links_are_read_again_together_and_idle_ones_are_not() -> None:
    now, read = [0.0], mock.Mock(return_value={})
    memory = Memory(read, clock=lambda: now[0])
    for slug in ("a", "b", "c", "idle"):
        memory.find(slug)
    now[0] = 0.6
    for slug in ("young", "a", "b", "young"):
        memory.find(slug)
    now[0] = 1.0
    memory.find("c")
    assert read.call_args.args == ({"a", "b", "c"},)
    now[0] = 1.5
    memory.find("a")
    assert read.call_count == 6  # four, the young one, and those together


def test_the_memory_forgets_who_was_asked_for_longest_ago() -> None:
    read = mock.Mock(return_value={})
    memory = Memory(read, most=2, clock=lambda: 0.0)
    for slug in ("a", "b", "a", "c", "a"):
        memory.find(slug)
    assert (len(memory), read.call_count) == (2, 3)
    memory.find("b")
    assert read.call_count == 4


def test_a_link_that_is_switched_off_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(targets.memory, "seconds", 1.0)
    monkeypatch.setattr(targets.memory, "clock", lambda: now[0])
    link = LinkFactory.create(slug="spring")
    assert visit("/r/spring").status == 302
    type(link).objects.update(is_active=False)
    now[0] = 1.0
    assert visit("/r/spring").status == 410


# When something is away ----------------------------------------------------------------------------------------------


def test_a_click_that_cannot_be_written_does_not_stop_the_visitor() -> None:
    LinkFactory.create(slug="spring")
    with mock.patch.object(clicks, "write", side_effect=DatabaseError):
        told = visit("/r/spring", query="utm_source=mail")
    assert (told.status, told["Location"]) == (302, f"{SHOP}?utm_source=mail")
    assert told["Set-Cookie"] == ""


def test_without_redis_clicks_go_to_the_database(settings: Any) -> None:
    settings.CLICK_STREAM = "redis://127.0.0.1:1/0"
    LinkFactory.create(slug="spring")
    for _time in range(2):
        assert "prm_click=" in visit("/r/spring")["Location"]
    assert Click.objects.count() == 2


def test_without_database_and_memory_the_visitor_is_asked_to_come_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(targets.memory, "read", mock.Mock(side_effect=DatabaseError))
    told = visit("/r/spring")
    assert (told.status, told["Retry-After"]) == (503, "5")
    assert visit("/i/spring.gif").status == 200


# Addresses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "near", "passed", "found"),
    [
        (0, "192.0.2.7", "", "192.0.2.7"),
        (0, "192.0.2.7", "", "192.0.2.7"),
        (0, "8.8.4.4", "203.0.113.9", "8.8.4.4"),
        (0, "10.0.0.1", "203.0.113.9", ""),
        (1, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "10.0.0.1", "203.0.113.9", ""),
        (1, "10.0.0.1", "", ""),
        (1, "10.0.0.1", "<script>", ""),
        (1, "10.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_an_address_is_read_past_the_proxies_that_are_trusted(
    settings: Any, proxies: int, near: str, passed: str, found: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    environ = {"REMOTE_ADDR": near} | ({"HTTP_X_FORWARDED_FOR": passed} if passed else {})
    assert addresses.client_address(environ) == found


def test_addresses_hash_alike_within_a_day_and_otherwise_on_the_next() -> None:
    late, next_day = NOW.replace(hour=23, minute=59), NOW.replace(hour=23, minute=59) + timedelta(minutes=1)
    assert addresses.hash_of("203.0.113.9", NOW) == addresses.hash_of("203.0.113.9", late)
    assert addresses.hash_of("203.0.113.9", NOW) != addresses.hash_of("203.0.113.8", NOW)
    assert addresses.hash_of("203.0.113.9", late) != addresses.hash_of("203.0.113.9", next_day)
    assert addresses.hash_of("nonsense", NOW) == addresses.agent_hash_of("", NOW) == ""
    assert set(AddressKey.objects.values_list("used_on", flat=True)) == {NOW.date(), next_day.date()}


def test_the_country_comes_from_the_header_that_is_named(settings: Any) -> None:
    settings.COUNTRY_HEADER = "CF-IPCountry"
    LinkFactory.create(slug="spring")
    for said in ("pl", "XX", "T1", "<b>", ""):
        visit("/r/spring", HTTP_CF_IPCOUNTRY=said)
    assert [click.country for click in written()] == ["PL", "", "", "", ""]


def test_after_thirty_days_keys_and_what_was_hashed_with_them_are_gone(settings: Any) -> None:
    settings.ADDRESS_DAYS = 30
    last = NOW.date() - timedelta(days=30)
    edge = datetime(last.year, last.month, last.day, tzinfo=UTC)
    kept, gone = {"address_hash": "a" * 32, "agent_hash": "b" * 16}, {"address_hash": "", "agent_hash": ""}
    for day in (last, last - timedelta(days=1), last - timedelta(days=9)):
        AddressKeyFactory.create(used_on=day)
    young, old = (
        ClickFactory.create(clicked_at=edge, **kept),
        ClickFactory.create(clicked_at=edge - timedelta(microseconds=1), **kept),
    )
    fresh = ConversionFactory.create(recorded_at=edge, address_hash="a" * 32)
    stale = ConversionFactory.create(recorded_at=edge - timedelta(seconds=1), address_hash="a" * 32)

    assert addresses.purge(NOW) == {"keys": 2, "clicks": 1, "conversions": 1}
    assert addresses.purge(NOW) == {"keys": 0, "clicks": 0, "conversions": 0}

    assert list(AddressKey.objects.values_list("used_on", flat=True)) == [last]
    for click, expected in ((young, kept), (old, gone)):
        click.refresh_from_db()
        assert {name: getattr(click, name) for name in expected} == expected
    fresh.refresh_from_db()
    stale.refresh_from_db()
    assert (fresh.address_hash, stale.address_hash) == ("a" * 32, "")


def test_the_command_purges_and_makes_the_keys_of_today_and_tomorrow() -> None:
    AddressKeyFactory.create(used_on=date(2020, 1, 1))
    call_command("purge_addresses")
    today = datetime.now(UTC).date()
    assert set(AddressKey.objects.values_list("used_on", flat=True)) == {today, today + timedelta(days=1)}


# Too many ------------------------------------------------------------------------------------------------------------


def test_an_address_that_comes_too_often_is_first_not_counted_and_then_asked_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(door._limiter, "clock", lambda: now[0])
    LinkFactory.create(slug="spring")
    door._limiter._minute, door._limiter._tries = 0, {"192.0.2.7": limiter.UNCOUNTED - 1}
    assert "prm_click=" in visit("/r/spring")["Location"]
    told = visit("/r/spring")
    assert (told["Location"], told["Set-Cookie"]) == (SHOP, "")
    assert "prm_click=" in visit("/r/spring", REMOTE_ADDR="192.0.2.8")["Location"]
    door._limiter._tries["192.0.2.7"] = limiter.REFUSED - 1
    assert visit("/r/spring").status == 302
    told = visit("/r/spring")
    assert (told.status, told["Retry-After"], told["Cache-Control"]) == (429, "60", "no-store")
    now[0] = 60.0
    assert "prm_click=" in visit("/r/spring")["Location"]
    assert Click.objects.count() == 3


def test_of_addresses_beyond_a_hundred_thousand_none_is_held() -> None:
    few = limiter.Limiter(clock=lambda: 0.0)
    few._minute, few._tries = 0, {str(number): 1 for number in range(limiter.MOST)}
    assert [few.tries("late"), few.tries("late"), few.tries("7"), few.tries("")] == [1, 1, 2, 0]


# The partner's own tests ---------------------------------------------------------------------------------------------


def test_a_partners_own_browser_and_that_of_staff_do_not_count(settings: Any) -> None:
    from django.http import HttpResponse

    mine, other = LinkFactory.create(slug="mine"), LinkFactory.create(slug="other")
    now = datetime.now(UTC)

    def kind(slug: str, note: str) -> str:
        visit(f"/r/{slug}", HTTP_COOKIE=f"a=b; prm_own={note}; c=d")
        return Click.objects.latest("pk").kind

    def note(**whose: Any) -> str:
        response = HttpResponse()
        if whose:
            own_visits.mark_browser(response, at=now, **whose)
        else:
            own_visits.mark_staff_browser(response, at=now)
        cookie = response.cookies["prm_own"]
        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/r/", True, "Lax")
        return str(cookie.value)

    partners = [mine.membership.partner_id, 10**6]
    own, staff = note(partners=partners), note()
    assert [kind("mine", own), kind("other", own), kind("other", staff)] == ["own", "person", "own"]
    forged = own.replace(str(mine.membership.partner_id), str(other.membership.partner_id), 1)
    assert [kind("other", forged), kind("mine", own[:-1] + "x"), kind("mine", "...")] == ["person"] * 3
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    assert kind("mine", own) == "own"
    settings.SECRET_KEY_FALLBACKS = []
    assert kind("mine", own) == "person"


def test_a_signed_address_tries_one_link_for_an_hour() -> None:
    LinkFactory.create(slug="mine")
    LinkFactory.create(slug="other")
    now = datetime.now(UTC)
    query = own_visits.test_query("mine", at=now).removeprefix("?")
    assert visit("/r/mine", query=query)["Location"] == SHOP
    assert "prm_click=" in visit("/r/other", query=query)["Location"]
    over = own_visits.test_query("mine", at=now - timedelta(hours=1)).removeprefix("?")
    assert "prm_click=" in visit("/r/mine", query=over)["Location"]
    assert [click.kind for click in written()] == ["own", "person", "person"]


# Whatever comes ------------------------------------------------------------------------------------------------------

HOSTILE_PATHS = (
    "/r//evil.test", "/r/spring/..", "/r/../r/spring", "/r/%2F%2Fevil.test", "/r/spring\r\nX: y", "/r/\x00", "/r/" + "a" * 5000,
    "//evil.test/r/spring", "//r/spring", "http://evil.test/r/spring", "/r/\xff\xfe", "/r/spring;x", "/r/-", "/r/", "/i/.gif", "/i/../x.gif",
)  # fmt: skip
HOSTILE_CHANGES: tuple[dict[str, Any], ...] = (
    {"query": "x=" + "y" * 10_000},
    {"query": "&".join(f"sub{number}=x" for number in range(500))},
    {"query": "sub=%00&utm_source=%00%0d%0aLocation:%20//evil.test&utm_term=\xff\xfe"},
    {"query": "utm_source=https://evil.test/&prm_click=//evil.test&url=//evil.test#x"},
    {"query": "%" * 3000},
    {"query": "prm_test=....&prm_test=l.spring.99999999999.%00"},
    {"HTTP_COOKIE": "prm_visitor=" + "z" * 9000},
    {"HTTP_COOKIE": "prm_own=o.staff.9999999999." + "0" * 32 + "; prm_visitor=\r\nX: y"},
    {"HTTP_COOKIE": "\xff\x00;;;=;prm_visitor"},
    {"HTTP_REFERER": "http://a\x00b\r\nx/"},
    {"HTTP_REFERER": "\xff" * 9000},
    {"HTTP_USER_AGENT": "\x00\xff" * 500},
    {"HTTP_X_FORWARDED_FOR": "," * 5000, "HTTP_HOST": "evil.test"},
    {"REMOTE_ADDR": None},
    {"REMOTE_ADDR": "fe80::1%eth0"},
    {"REQUEST_METHOD": "get\r\n"},
    {"HTTP_SEC_FETCH_DEST": "\xff", "HTTP_SEC_GPC": "1, 1"},
)


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_no_path_breaks_the_door_or_leads_elsewhere(path: str) -> None:
    LinkFactory.create(slug="spring")
    told = visit(path)
    assert told.status in (301, 302, 400, 404)
    assert "evil" not in told["Location"].split("?")[0].removeprefix("/")[:4]
    assert not Click.objects.exists()


@pytest.mark.parametrize("changes", HOSTILE_CHANGES, ids=range(len(HOSTILE_CHANGES)))
def test_no_header_or_query_breaks_the_door_or_leads_elsewhere(sink: str, changes: dict[str, Any]) -> None:
    LinkFactory.create(slug="spring")
    told = visit("/r/spring", **changes)
    assert told.status in (302, 400, 405)
    if told.status == 302:
        assert told["Location"].startswith(f"{SHOP}?") or told["Location"] == SHOP
        assert not set("\r\n\0") & set("".join(value for _name, value in told.headers))
        assert len(written()) == 1
