"""Write a batch of new events in one statement. An event that another worker has recorded meanwhile is passed over, so that it is in
the books once whoever comes first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from prm.lib.bulk import BulkWriter
from prm.lib.ids import public_id
from referrals.choices import ConversionState
from referrals.facts import Event
from referrals.models import Conversion, Credit

CONVERSION = (
    "id",
    "public_id",
    "source",
    "external_id",
    "kind",
    "state",
    "occurred_at",
    "recorded_at",
    "customer_id",
    "country",
    "amount_minor",
    "currency",
    "code_text",
    "click_id",
    "product",
    "category",
    "quantity",
    "tax_minor",
    "shipping_minor",
    "discount_minor",
    "cost_minor",
    "sub_id",
    "campaign",
    "channel",
    "lead_key",
    "payment_key",
    "address_hash",
    "deal_key",
    "attributes",
    "original_external_id",
    "original_id",
    "payload_sha256",
)
CREDIT = (
    "conversion_id",
    "membership_id",
    "role",
    "share",
    "reason",
    "code_id",
    "click_id",
    "touch_id",
    "referral_id",
    "occurred_at",
    "attributed_at",
    "rated_at",
    "superseded_at",
)

Row = tuple[Any, ...]


def row_of(event: Event, *, customer: int | None, original: int | None, sha256: str, at: datetime) -> Row:
    """Return what the books say of an event, in the order of the columns after the primary key."""
    return (
        public_id("cnv"),
        event.source,
        event.external_id,
        event.kind,
        ConversionState.RECORDED,
        event.occurred_at,
        at,
        customer,
        event.country,
        event.amount.minor,
        event.amount.currency,
        event.code,
        event.click_id,
        event.product,
        event.category,
        event.pieces,
        event.tax_minor,
        event.shipping_minor,
        event.discount_minor,
        event.cost_minor,
        event.sub_id,
        event.campaign,
        event.channel,
        event.lead,
        event.buyer.payment_key,
        event.buyer.address_hash,
        event.deal,
        dict(event.attributes),
        event.original_external_id,
        original,
        sha256,
    )


def insert_conversions(rows: Sequence[Row]) -> list[int | None]:
    """Insert new events and return the primary key of each, None for one that is there already."""
    writer = BulkWriter(Conversion, CONVERSION)
    keys = writer.reserve(len(rows))
    whole = [(key, *row) for key, row in zip(keys, rows, strict=True)]
    connection = connections[writer.using]
    if connection.vendor != "postgresql":
        # Whoever writes holds the one write lock since the transaction began: nobody else can have come first.
        writer.write(whole)
        return list(keys)
    inserted = _insert_unless_there(connection, whole)
    return [key if key in inserted else None for key in keys]


def insert_credits(rows: Sequence[Row]) -> None:
    """Insert credits, in the order of `CREDIT`, nobody else can have written, because their conversions are new or held."""
    BulkWriter(Credit, CREDIT).write(rows)


def _insert_unless_there(connection: BaseDatabaseWrapper, rows: Sequence[Row]) -> set[int]:
    """Insert rows that break no unique constraint, in their order, and return the primary keys of those that were."""
    table = connection.ops.quote_name(Conversion._meta.db_table)
    by_name = {field.attname: field.column for field in Conversion._meta.concrete_fields}
    columns = [str(by_name[name]) for name in CONVERSION]
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    # One parameter that holds everything costs the client a tenth of one parameter a value.
    text = json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=datetime.isoformat)
    statement = (
        f"INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_recordset(NULL::{table}, %s)"  # noqa: S608
        " ON CONFLICT DO NOTHING RETURNING id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [text])
        return {row[0] for row in cursor.fetchall()}
