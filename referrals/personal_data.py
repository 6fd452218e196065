"""What the referrals app keeps about a partner: links, codes, visits by day, and the events it is credited for. Who clicked or bought is
nobody's data but theirs: customers are named as the shop names them, and visitors not at all."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count
from django.db.models.functions import TruncDate

from partners.personal_data import Row, Subject, learn_section, rows
from referrals.models import Click, Code, Credit, Link, PointEntry, Referral, Touch


def learn() -> None:
    """Name the sections of this app."""
    learn_section("partner-links", _links, covers=["referrals.link"])
    learn_section("partner-codes", _codes, covers=["referrals.code"])
    learn_section("partner-clicks-by-day", _clicks, covers=["referrals.click"])
    learn_section("partner-conversions", _credits, covers=["referrals.credit", "referrals.conversion"])
    learn_section("partner-touches", _touches, covers=["referrals.touch"])
    learn_section("partner-customers", _customers, covers=["referrals.referral"])
    learn_section("partner-tier-points", _points, covers=["referrals.pointentry"])


def _links(subject: Subject) -> Iterator[Row]:
    found = Link.objects.filter(membership__partner__in=subject.partners)
    return rows(
        found,
        id="public_id",
        membership="membership__public_id",
        slug="slug",
        label="label",
        leads_to="destination_url",
        campaign="campaign",
        added_to_the_address="utm",
        on="is_active",
        works_until="expires_at",
        replaced_by="replacement__public_id",
        made_at="created_at",
    )


def _codes(subject: Subject) -> Iterator[Row]:
    found = Code.objects.filter(membership__partner__in=subject.partners)
    return rows(
        found,
        id="public_id",
        membership="membership__public_id",
        code="code",
        on="is_active",
        discount_percent="discount_percent",
        discount_minor="discount_minor",
        uses_at_most="use_limit",
        uses_counted="uses",
        valid_from="starts_at",
        valid_until="ends_at",
        made_at="created_at",
        retired_at="retired_at",
    )


def _clicks(subject: Subject) -> Iterator[Row]:
    found = Click.objects.of_people().filter(link__membership__partner__in=subject.partners)
    days = found.annotate(day=TruncDate("clicked_at")).values_list("link__public_id", "day", "sub_id")
    for link, day, sub_id, clicks in days.annotate(Count("pk")).order_by("link", "day", "sub_id").iterator():
        yield {"link": link, "day": day, "sub_id": sub_id, "clicks": clicks}


def _touches(subject: Subject) -> Iterator[Row]:
    found = Touch.objects.filter(membership__partner__in=subject.partners)
    return rows(
        found,
        id="public_id",
        membership="membership__public_id",
        kind="kind",
        reference="reference",
        happened_at="touched_at",
        protected_until="ends_on",
        note="note",
        told_at="recorded_at",
        withdrawn_at="withdrawn_at",
        withdrawn_because="withdrawn_because",
    )


def _customers(subject: Subject) -> Iterator[Row]:
    """Yield the customers a partner brought, masked as it sees them."""
    found = Referral.objects.filter(membership__partner__in=subject.partners)
    for row in found.select_related("customer", "membership").order_by("pk").iterator():
        yield {
            "id": row.public_id,
            "membership": row.membership.public_id,
            "customer": row.customer.masked,
            "how": row.cause,
            "since": row.since_at,
            "earns_until": row.earns_until_at,
            "ended_at": row.ended_at,
        }


def _points(subject: Subject) -> Iterator[Row]:
    found = PointEntry.objects.filter(membership__partner__in=subject.partners)
    return rows(
        found,
        membership="membership__public_id",
        earned_for="source",
        reference="reference",
        thousandths="milli_points",
        multiplier="multiplier",
        market="market",
        earned_at="earned_at",
    )


def _credits(subject: Subject) -> Iterator[Row]:
    found = Credit.objects.filter(membership__partner__in=subject.partners)
    return rows(
        found,
        membership="membership__public_id",
        event="conversion__external_id",
        source="conversion__source",
        kind="conversion__kind",
        state="conversion__state",
        amount_minor="conversion__amount_minor",
        currency="conversion__currency",
        happened_at="occurred_at",
        role="role",
        share="share",
        reason="reason",
        code="code__code",
        superseded_at="superseded_at",
    )
