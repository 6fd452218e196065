"""The days of credentials. `expires_on` is the first day one counts no more; what people read is the last day it does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from tiers.qualify.windows import months_before

if TYPE_CHECKING:
    from partners.models import Certification, Credential

ONE_DAY = timedelta(days=1)


def months_after(day: date, months: int) -> date:
    """Return the same day `months` months later, or the last one of a shorter month."""
    return months_before(day, -months)


def expiry(certification: Certification, earned_on: date) -> date | None:
    """Return the first day a credential earned on a day counts no more; None for never."""
    months = certification.valid_months
    return months_after(earned_on, months) if months is not None else None


def last_day(credential: Credential) -> date | None:
    """Return the last day a credential counts, None for no end."""
    return credential.expires_on - ONE_DAY if credential.expires_on is not None else None
