"""The words for what is under review: a case and a signal as staff read them, and a case as the partner it is about reads it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from portal.status_words import BAD, INFO, NEUTRAL, OK, WARN, Words, said

RISK_WORDS: dict[str, Words] = {
    "risk_case": {
        "open": said(_("To decide"), "clock", WARN),
        "investigating": said(_("Being looked at"), "info", INFO),
        "cleared": said(_("Cleared"), "tick", OK),
        "confirmed": said(_("Confirmed"), "cross", BAD),
    },
    "risk_severity": {
        "low": said(_("Low"), "info", NEUTRAL),
        "medium": said(_("Medium"), "alert", WARN),
        "high": said(_("High"), "alert", BAD),
    },
    "review_of_lines": {
        "open": said(_("We are looking at it"), "clock", INFO),
        "investigating": said(_("We are looking at it"), "clock", INFO),
        "cleared": said(_("Nothing was wrong"), "tick", OK),
        "confirmed": said(_("Confirmed"), "alert", BAD),
    },
}
