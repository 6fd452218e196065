"""What the archive of a person or a partner holds about tiers: each review with its figures, appeals in the words they were written in, and what
was decided by hand."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q

from partners import models
from partners.personal_data import Row, Subject, rows


def tier_reviews(subject: Subject) -> Iterator[Row]:
    found = models.TierReview.objects.filter(membership__partner__in=subject.partners)
    same = (
        "outcome state figures evaluated_at notified_at grace_ends_at remedies decided_at note effective_at"
    )
    columns = {"id": "public_id", "membership": "membership__public_id", "from": "from_tier__name"}
    return rows(found, **columns, to="to_tier__name", **{name: name for name in same.split()})


def appeals(subject: Subject) -> Iterator[Row]:
    mine = Q(opened_by=subject.user.pk if subject.user is not None else 0) | Q(
        review__membership__partner__in=subject.partners
    )
    same = "state text opened_at answer_on answered_at answer"
    found = models.Appeal.objects.filter(mine)
    return rows(found, review="review__public_id", **{name: name for name in same.split()})


def overrides(subject: Subject) -> Iterator[Row]:
    found = models.TierOverride.objects.filter(membership__partner__in=subject.partners)
    same = "kind reason made_at expires_at ended_at"
    return rows(
        found, membership="membership__public_id", tier="tier__name", **{name: name for name in same.split()}
    )
