"""The words for where things around tiers stand: what partners tell they did, and what is asked of them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _t

from portal.status_words import BAD, INFO, NEUTRAL, OK, Words, said

ACTIVITY: Words = {
    "waiting": said(_t("Waiting to be confirmed"), "clock", INFO),
    "confirmed": said(_t("Confirmed"), "tick", OK, _t("It counts")),
    "declined": said(_t("Does not count"), "cross", BAD),
    "withdrawn": said(_t("Withdrawn"), "return", NEUTRAL),
}

TIER_WORDS: dict[str, Words] = {
    "activity": ACTIVITY,
}
