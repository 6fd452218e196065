"""Tell who opened a link by what a request says of itself: a person, a robot, a preview, a page fetched ahead or embedded. The lists name
programs that introduce themselves; whoever pretends to be a browser is found by what it does, not here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

PERSON, VIEW, OWN = "person", "view", "own"
BOT, PREFETCH, PREVIEW, EMBEDDED = "bot", "prefetch", "preview", "embedded"

# What messengers and social networks send to draw a card of a link somebody wrote.
_PREVIEWS = re.compile(
    r"facebookexternalhit|facebookcatalog|meta-externalfetcher|slackbot|slack-imgproxy|twitterbot|telegrambot|linkedinbot|discordbot"
    r"|^whatsapp/|^viber|skypeuripreview|google-pagerenderer|bingpreview|iframely|embedly|redditbot|pinterestbot|vkshare|mastodon/"
    r"|tumblr/|flipboardproxy|nuzzel|bitlybot|applenewsbot|snap url preview|preview",
    re.IGNORECASE,
)
_ROBOTS = re.compile(
    # A telephone called Cubot is none.
    r"(?<!cu)bot\b|crawl|spider|slurp|archiver|archive\.org|scrap[ey]|fetcher|feedburner|mediapartners|inspectiontool|google-read-aloud"
    r"|bytespider|dataprovider|ahrefs|semrush|screaming frog|httrack|yandex(?:images|metrika)|perplexity|gptbot|claude-web|ccbot"
    # Monitors.
    r"|monitor|uptime|pingdom|statuscake|site24x7|gtmetrix|lighthouse|pagespeed|nagios|zabbix|blackbox|healthcheck|kube-probe"
    r"|newrelic|datadog|dareboost|catchpoint|check_http"
    # Browsers without anybody before them.
    r"|headless|phantomjs|puppeteer|playwright|selenium|electron/|prerender"
    # Libraries.
    r"|curl/|wget|libwww|python|aiohttp|httpx|go-http-client|^java/|okhttp|apache-httpclient|jakarta|node-fetch|axios|undici|guzzle"
    r"|^ruby|faraday|^php|^perl|^dart|reqwest|winhttp|postmanruntime|insomnia|httpie|restsharp|wordpress/|validator",
    re.IGNORECASE,
)
# "empty" is what a script of the page says of the request it makes.
_PAGES = frozenset({"", "document", "empty"})
_AHEAD = ("sec-purpose", "purpose", "x-moz", "x-purpose")


def kind_of(method: str, headers: Mapping[str, str]) -> str:
    """Return what opened a link; header names are in lower case."""
    if is_ahead(headers):
        return PREFETCH
    by_agent = agent_kind(headers.get("user-agent", ""))
    if by_agent != PERSON:
        return by_agent
    if method != "GET":
        return BOT
    return PERSON if headers.get("sec-fetch-dest", "") in _PAGES else EMBEDDED


def is_ahead(headers: Mapping[str, str]) -> bool:
    """Say whether a browser fetches a page that nobody has asked for yet."""
    for name in _AHEAD:
        said = headers.get(name)
        if said and ("prefetch" in said or "prerender" in said or "preview" in said):
            return True
    return False


@lru_cache(maxsize=4096)
def agent_kind(agent: str) -> str:
    """Return what an agent's name says: a person's browser, a preview, or a robot, also when it has no name."""
    if not agent.strip():
        return BOT
    if _PREVIEWS.search(agent):
        return PREVIEW
    return BOT if _ROBOTS.search(agent) else PERSON
