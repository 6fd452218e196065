"""Every reaction of one app to the news of another, on one page. A reaction only nudges: a sweep finds whatever was missed."""

from __future__ import annotations

from prm.lib.bell import ring_now
from prm.lib.events import subscribe
from referrals.events import ConversionsAttributed


def rate_new_credits(event: ConversionsAttributed) -> None:
    """Ring the worker that computes commission for conversions just attributed."""
    ring_now("payouts.accrue", conversion_ids=list(event.conversion_ids))


subscribe(ConversionsAttributed, rate_new_credits)  # sweep: payouts.sweep_accruals
