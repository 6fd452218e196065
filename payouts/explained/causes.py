"""Say what made a window, or an event, be worth something else than what was booked."""

from __future__ import annotations

from django.utils.translation import gettext as _

from payouts.explained import texts
from payouts.explained.facts import Facts


def cause_text(facts: Facts) -> str:
    """Return the cause of a true-up as a sentence; nothing when none is known."""
    cause = facts.because.get("cause")
    if not cause:
        return ""
    order = cause.get("order") or facts.because.get("order") or ""
    known = {
        "step_reached": _("With order %(order)s another step is reached, and its rate is for all of it."),
        "version_changed": _("Other terms have counted in this period as well."),
        "budget_freed": _("The budget of the program has room again."),
        "refund": _("Order %(order)s gave money back, and the total is lower."),
        "chargeback": _("Order %(order)s was charged back, and the total is lower."),
        "late_event": _("Order %(order)s happened earlier and was told later."),
        "credit_corrected": _("It was corrected who is credited for order %(order)s."),
        "recomputed": _("It was worked out again, and this is the difference."),
        "chargeback_won": _("The chargeback of order %(order)s was won, and the total is higher."),
    }
    text = known.get(cause["code"])
    if text is not None:
        return text % {"order": order}
    return f"{texts.plain_words(cause['code'])}."
