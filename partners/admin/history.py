"""Say in words what was done to a row. An action nobody has given words to is shown as it is written."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from prm.audit.models import AuditEvent

HISTORY_SHOWN = 30
WORDS = {
    "application.submitted": gettext_lazy("Application sent"),
    "application.entered": gettext_lazy("Entered by staff"),
    "application.email_confirmed": gettext_lazy("E-mail confirmed"),
    "application.review_started": gettext_lazy("Review begun"),
    "application.assigned": gettext_lazy("Given to an account manager"),
    "application.rules_asked": gettext_lazy("No rule decided"),
    "application.flagged_by_rule": gettext_lazy("A rule asked for a second look"),
    "application.decided_by_rule": gettext_lazy("Decided by a rule"),
    "application.file_opened": gettext_lazy("File opened"),
    "application.question_asked": gettext_lazy("Question asked"),
    "application.replied": gettext_lazy("Applicant replied"),
    "application.repeated": gettext_lazy("Sent again with the same e-mail"),
    "application.approved": gettext_lazy("Approved"),
    "application.rejected": gettext_lazy("Declined"),
    "application.withdrawn": gettext_lazy("Withdrawn by the applicant"),
    "reference.asked": gettext_lazy("Reference asked"),
    "reference.answered": gettext_lazy("Reference answered"),
    "partner.changed": gettext_lazy("Details changed"),
    "tier_review.notified": gettext_lazy("Notice sent"),
    "tier_review.decided": gettext_lazy("Decided for a later day"),
    "tier_review.applied": gettext_lazy("Tier changed"),
    "tier_review.kept": gettext_lazy("Tier kept"),
    "tier_review.waived": gettext_lazy("Waived"),
    "tier_review.lapsed": gettext_lazy("Overtaken"),
}


def history_of(obj: Any) -> list[AuditEvent]:
    """Return what was done to a row, oldest first."""
    events = AuditEvent.objects.filter(object_type=obj._meta.label_lower, object_pk=str(obj.pk))
    found = list(events.select_related("actor").order_by("-at", "-pk")[:HISTORY_SHOWN])[::-1]
    for event in found:
        event.words = WORDS.get(event.action) or _plain_words(event.action)  # type: ignore[attr-defined]
    return found


def _plain_words(action: str) -> str:
    """Return an action nobody has given words to yet, as words."""
    return action.replace(".", " ").replace("_", " ").capitalize()
