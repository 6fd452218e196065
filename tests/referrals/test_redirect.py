"""The decision about a visit to a link, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from referrals import agents
from referrals.choices import ClickKind
from referrals.redirect import (
    Answer,
    Target,
    Visit,
    allowed_hosts,
    answer,
    leads_outside,
    read_query,
    view,
    with_click,
)

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"}
SHOP = frozenset({"shop.example"})
TARGET = Target(7, "https://shop.example/a?b=c#d", is_active=True, counts=True, hosts=SHOP, cookie_days=30)
KNOWN = "01k" + "a" * 23


NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
URL = "https://shop.example/a?b=c#d"
COUNTED = "https://shop.example/a?b=c&prm_click=CLICK#d"


def target(**changes: Any) -> Target:
    values: dict[str, Any] = {
        "link_id": 7,
        "url": URL,
        "is_active": True,
        "counts": True,
        "hosts": SHOP,
        "cookie_days": 30,
    }
    return Target(**(values | changes))


def ask(
    found: Target | None = TARGET,
    *,
    method: str = "GET",
    visitor: str = "",
    query: str = "",
    is_own: bool = False,
    at: datetime = NOW,
    **headers: str,
) -> Answer:
    named = BROWSER | {name.replace("_", "-"): value for name, value in headers.items()}
    visit = Visit(method, named, visitor, read_query(query), is_own)
    return answer(found, visit, at=at, new_click="CLICK", new_visitor="NEW")


def test_a_visit_is_sent_on_with_its_click_id_and_a_cookie_for_the_window() -> None:
    assert ask() == Answer(
        302, COUNTED, "person", "CLICK", visitor="NEW", cookie_seconds=30 * 86_400, may_be_known=True
    )


def test_the_names_of_kinds_are_those_the_database_knows() -> None:
    named = {agents.PERSON, agents.VIEW, agents.OWN, agents.BOT, agents.PREFETCH, agents.PREVIEW}
    assert named | {agents.EMBEDDED} == set(ClickKind.values)


def test_a_known_visitor_keeps_the_number() -> None:
    assert ask(visitor=KNOWN).visitor == KNOWN


@pytest.mark.parametrize(
    "forged", ["", "x", "a" * 27, "<script>", "01K" + "a" * 23, "01k" + "u" * 23, KNOWN + "\n"]
)
def test_a_forged_visitor_gets_a_new_number(forged: str) -> None:
    assert ask(visitor=forged).visitor == "NEW"


def test_an_unknown_link_is_not_found_and_one_switched_off_or_led_astray_is_gone() -> None:
    assert ask(None) == Answer(404)
    assert ask(target(is_active=False)) == Answer(410)
    assert ask(target(url="https://elsewhere.example/")) == Answer(410)


@pytest.mark.parametrize(("seconds", "status"), [(-1, 302), (0, 410), (1, 410)])
def test_a_link_ends_at_its_instant(seconds: int, status: int) -> None:
    assert ask(target(expires_at=NOW), at=NOW + timedelta(seconds=seconds)).status == status


def test_the_link_of_a_membership_that_does_not_earn_still_leads_to_the_shop() -> None:
    assert ask(target(counts=False)) == Answer(302, URL)


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("prefetch", {"sec_purpose": "prefetch"}),
        ("prefetch", {"sec_purpose": "prefetch;prerender"}),
        ("prefetch", {"purpose": "prefetch"}),
        ("prefetch", {"x_moz": "prefetch"}),
        ("embedded", {"sec_fetch_dest": "image"}),
        ("embedded", {"sec_fetch_dest": "iframe"}),
        ("embedded", {"sec_fetch_dest": "script"}),
        ("bot", {"user_agent": ""}),
        ("bot", {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}),
        ("bot", {"user_agent": "Mozilla/5.0 (compatible; bingbot/2.0)"}),
        ("bot", {"user_agent": "python-requests/2.32"}),
        ("bot", {"user_agent": "curl/8.5.0"}),
        ("bot", {"user_agent": "Mozilla/5.0 HeadlessChrome/140.0"}),
        ("bot", {"user_agent": "UptimeRobot/2.0"}),
        ("preview", {"user_agent": "facebookexternalhit/1.1"}),
        ("preview", {"user_agent": "Slackbot-LinkExpanding 1.0"}),
        ("preview", {"user_agent": "Twitterbot/1.0"}),
        ("preview", {"user_agent": "WhatsApp/2.24 A"}),
        ("preview", {"user_agent": "TelegramBot (like TwitterBot)"}),
        ("preview", {"user_agent": "LinkedInBot/1.0"}),
        ("preview", {"user_agent": "Mozilla/5.0 (compatible; Discordbot/2.0)"}),
        ("preview", {"user_agent": "Mozilla/5.0 Google-PageRenderer Google"}),
    ],
)
def test_what_is_no_person_is_sent_on_and_written_down_as_what_it_is(
    kind: str, headers: dict[str, str]
) -> None:
    decided = ask(**headers)
    assert (decided.kind, decided.location) == (kind, URL)
    assert (decided.visitor, decided.cookie_seconds) == ("", 0)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Linux; Android 9; CUBOT X19 Build/PPR1) Chrome/140.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/480.0]",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 [Pinterest/iOS]",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
    ],
)
def test_a_telephone_or_an_application_in_somebodys_hand_is_a_person(agent: str) -> None:
    assert ask(user_agent=agent).kind == "person"


def test_a_head_request_is_a_robots() -> None:
    assert (ask(method="HEAD").kind, ask(method="HEAD").location) == ("bot", URL)


def test_the_partners_own_test_is_written_down_and_does_not_count() -> None:
    decided = ask(is_own=True)
    assert (decided.kind, decided.location, decided.cookie_seconds) == ("own", URL, 0)


@pytest.mark.parametrize("wish", [{"sec_gpc": "1"}, {"dnt": "1"}])
def test_of_whoever_asks_not_to_be_tracked_nothing_is_known_but_the_click(wish: dict[str, str]) -> None:
    decided = ask(visitor=KNOWN, query="sub=spring", referer="https://blog.example/", **wish)
    assert decided == Answer(302, COUNTED, "person", "CLICK", subs=("spring", "", "", "", ""))


def test_a_program_without_cookies_gives_its_visitors_no_number() -> None:
    decided = ask(target(sets_cookie=False), visitor=KNOWN)
    assert decided == Answer(302, COUNTED, "person", "CLICK", may_be_known=True)


def test_a_banner_is_seen_only_where_a_program_counts_views_and_by_people() -> None:
    counts = target(counts_views=True)

    def look(found: Target | None, **headers: str) -> str:
        visit = Visit("GET", BROWSER | {"sec-fetch-dest": "image"} | headers)
        return view(found, visit, at=NOW, new_click="CLICK", new_visitor="NEW").kind

    assert [look(each) for each in (counts, TARGET, None)] == ["view", "", ""]
    assert look(counts, **{"user-agent": "Googlebot-Image/1.0"}) == ""
    assert look(counts, **{"sec-purpose": "prefetch"}) == ""
    assert look(target(counts_views=True, is_active=False)) == ""
    assert look(target(counts_views=True, expires_at=NOW)) == ""


@pytest.mark.parametrize(
    ("referer", "host"),
    [
        ("https://Blog.Example/post?id=1", "blog.example"),
        ("", ""),
        ("nonsense", ""),
        ("http://[::1", ""),
        ("http://a\x00b/", ""),
        ("http://" + "a" * 101 + "/", ""),
    ],
)
def test_only_the_host_of_the_referring_page_is_kept(referer: str, host: str) -> None:
    assert ask(referer=referer).referrer_host == host


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("sub=spring-sale_1.2~x", ("spring-sale_1.2~x", "", "", "", "")),
        ("sub1=a&sub2=b&sub3=c&sub4=d&sub5=e", ("a", "b", "c", "d", "e")),
        ("sub=a&sub1=b&sub6=x", ("b", "", "", "", "")),
        ("sub=a%20b&sub2=" + "x" * 65 + "&sub3=%3Ci%3E&sub4=%FF", ("", "", "", "", "")),
    ],
)
def test_sub_ids_are_kept_when_they_are_plain_words(query: str, kept: tuple[str, ...]) -> None:
    decided = ask(query=query)
    assert (decided.subs, decided.location) == (kept, COUNTED)


@pytest.mark.parametrize(
    ("own", "query", "campaign"),
    [
        ("", "utm_campaign=autumn+sale", "autumn sale"),
        ("spring", "utm_campaign=autumn", "spring"),
        ("", "utm_campaign=a%0Ab", ""),
        ("", "utm_campaign=" + "y" * 65, "y" * 64),
        ("", "", ""),
    ],
)
def test_the_campaign_is_the_links_else_the_visits(own: str, query: str, campaign: str) -> None:
    assert ask(target(campaign=own), query=query).campaign == campaign


@pytest.mark.parametrize(
    ("query", "passed"),
    [
        ("", "utm_source=blog&utm_medium=text"),
        ("utm_source=mail", "utm_medium=text&utm_source=mail"),
        ("utm_term=a%26b%23c", "utm_source=blog&utm_medium=text&utm_term=a%26b%23c"),
        ("utm_source=" + "z" * 101, "utm_source=blog&utm_medium=text"),
        ("utm_source=x%0D%0ASet-Cookie:%20a=b", "utm_source=blog&utm_medium=text"),
        ("UTM_SOURCE=x&url=//evil.test&prm_click=forged&utm_id=3", "utm_source=blog&utm_medium=text"),
    ],
)
def test_utm_parameters_of_the_visit_stand_in_for_the_links_and_nothing_else_passes(
    query: str, passed: str
) -> None:
    tagged = target(utm={"utm_source": "blog", "utm_medium": "text", "evil": "x"})
    assert ask(tagged, query=query).location == f"https://shop.example/a?b=c&{passed}&prm_click=CLICK#d"
    robot = ask(tagged, query=query, user_agent="Googlebot/2.1")
    assert robot.location == f"https://shop.example/a?b=c&{passed}#d"


@pytest.mark.parametrize("name", ["gclid", "gbraid", "wbraid", "msclkid", "gad_source"])
def test_that_a_click_was_paid_for_is_noted_by_name(name: str) -> None:
    decided = ask(query=f"x=1&{name}=secret")
    assert (decided.ad_parameter, decided.location) == (name, COUNTED)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example", "https://shop.example?prm_click=C"),
        ("https://shop.example/?a=1", "https://shop.example/?a=1&prm_click=C"),
        ("https://shop.example/?a=%20b&prm_click=OLD#x", "https://shop.example/?a=%20b&prm_click=C#x"),
        ("https://shop.example/?", "https://shop.example/?prm_click=C"),
    ],
)
def test_the_click_id_joins_the_query_and_leaves_the_rest_as_it_was(url: str, expected: str) -> None:
    assert with_click(url, "C") == expected


@pytest.mark.parametrize(
    ("url", "outside"),
    [
        ("https://shop.example/", False),
        ("http://SHOP.example:8443/x", False),
        ("https://eu.shop.example/", False),
        ("https://notshop.example/", True),
        ("https://shop.example.evil.test/", True),
        ("https://shop.example@evil.test/", True),
        ("https://user:pw@shop.example/", True),
        ("https://evil.test/?https://shop.example/", True),
        ("//shop.example/", True),
        ("/path", True),
        ("javascript:alert(1)", True),
        ("data:text/html,x", True),
        ("ftp://shop.example/", True),
        ("https://shop.example\\@evil.test/", True),
        ("https://shop.example/\r\nSet-Cookie: a=b", True),
        ("https://shop.example/a b", True),
        ("https://shop.example:x/", True),
        ("https://[shop.example/", True),
        ("", True),
    ],
)
def test_links_lead_to_web_addresses_at_allowed_hosts_only(url: str, outside: bool) -> None:
    assert leads_outside(url, SHOP) is outside


def test_the_hosts_of_a_program_are_its_destinations_own_and_those_it_names() -> None:
    assert allowed_hosts("https://Shop.example/x", ["Blog.example.", " ", "a.test"]) == {
        "shop.example",
        "blog.example",
        "a.test",
    }
