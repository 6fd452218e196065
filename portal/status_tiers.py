"""The words for where things around tiers stand: what partners tell they did, and what is asked of them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _t

from portal.status_words import BAD, INFO, NEUTRAL, OK, WARN, Words, said

ACTIVITY: Words = {
    "waiting": said(_t("Waiting to be confirmed"), "clock", INFO),
    "confirmed": said(_t("Confirmed"), "tick", OK, _t("It counts")),
    "declined": said(_t("Does not count"), "cross", BAD),
    "withdrawn": said(_t("Withdrawn"), "return", NEUTRAL),
}

TIER_REVIEW: Words = {
    "proposed": said(_t("Proposed"), "clock", INFO, _t("Somebody decides on it")),
    "in_grace": said(_t("In the grace period"), "pause", WARN, _t("The tier stays until it ends")),
    "appealed": said(_t("Appealed"), "alert", WARN, _t("Nothing happens before it is answered")),
    "decided": said(_t("Decided"), "clock", INFO, _t("Takes effect later")),
    "applied": said(_t("In effect"), "tick", OK),
    "kept": said(_t("Tier kept"), "tick", OK),
    "waived": said(_t("Waived"), "pause", NEUTRAL),
    "shadow": said(_t("For information"), "info", NEUTRAL, _t("Nothing is proposed")),
    "lapsed": said(_t("Overtaken"), "return", NEUTRAL),
}

APPEAL: Words = {
    "open": said(_t("Waiting for an answer"), "clock", WARN),
    "granted": said(_t("Granted"), "tick", OK),
    "refused": said(_t("Refused"), "cross", BAD),
    "withdrawn": said(_t("Withdrawn"), "return", NEUTRAL),
}

REVIEW_ROUND: Words = {
    "scheduled": said(_t("Scheduled"), "clock", NEUTRAL),
    "running": said(_t("Under way"), "arrow", INFO),
    "finished": said(_t("Finished"), "tick", OK),
}

BUSINESS_PLAN: Words = {
    "outline": said(_t("Outline"), "clock", NEUTRAL, _t("Being written")),
    "partner_review": said(_t("With the partner"), "clock", WARN, _t("Waiting for the partner's answer")),
    "agreed": said(_t("Agreed"), "tick", OK, _t("Begins on its first day")),
    "in_progress": said(_t("In progress"), "arrow", INFO),
    "completed": said(_t("Completed"), "tick", OK),
    "withdrawn": said(_t("Withdrawn"), "return", NEUTRAL),
}

# The same to the partner who reads it.
OWN_PLAN: Words = {
    **BUSINESS_PLAN,
    "outline": said(_t("Being changed"), "clock", NEUTRAL),
    "partner_review": said(_t("Waiting for your answer"), "alert", WARN),
}

GOAL: Words = {
    "not_begun": said(_t("Not begun"), "clock", NEUTRAL),
    "on_track": said(_t("On track"), "tick", OK),
    "behind": said(_t("Behind"), "alert", WARN),
    "reached": said(_t("Reached"), "tick", OK),
    "missed": said(_t("Missed"), "cross", BAD),
    "unknown": said(_t("No figure yet"), "info", NEUTRAL),
}

GOAL_CHANGE: Words = {
    "waiting": said(_t("Waiting for an answer"), "clock", WARN),
    "agreed": said(_t("Agreed"), "tick", OK),
    "declined": said(_t("Declined"), "cross", NEUTRAL),
    "taken_back": said(_t("Taken back"), "return", NEUTRAL),
}

COURSE: Words = {
    "draft": said(_t("Draft"), "clock", NEUTRAL, _t("Nobody sees it yet")),
    "open": said(_t("Open"), "tick", OK),
    "closed": said(_t("Closed"), "cross", NEUTRAL, _t("Nobody can take it")),
}

# What staff read of credentials.
CREDENTIAL: Words = {
    "waiting": said(_t("To be checked"), "clock", WARN),
    "valid": said(_t("Valid"), "tick", OK),
    "expired": said(_t("Expired"), "cross", NEUTRAL),
    "refused": said(_t("Not accepted"), "cross", NEUTRAL),
    "revoked": said(_t("Revoked"), "cross", BAD),
}

TIER_WORDS: dict[str, Words] = {
    "appeal": APPEAL,
    "review_round": REVIEW_ROUND,
    "tier_review": TIER_REVIEW,
    "activity": ACTIVITY,
    "course": COURSE,
    "credential": CREDENTIAL,
    "business_plan": BUSINESS_PLAN,
    "own_plan": OWN_PLAN,
    "goal": GOAL,
    "goal_change": GOAL_CHANGE,
}
