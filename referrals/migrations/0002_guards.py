"""Clicks are only ever added; the facts of a conversion and of a credit stay as they were told."""

from django.db import migrations

from prm.lib.db import forbid_delete, forbid_update_delete, forbid_update_of, refuse_when, triggers


class Migration(migrations.Migration):
    dependencies = [("referrals", "0001_initial")]

    operations = [
        triggers(
            forbid_update_delete("referrals_click", message="Clicks are append-only."),
            forbid_delete(
                "referrals_conversion", message="Conversions are never deleted; record a refund instead."
            ),
            forbid_update_of(
                "referrals_conversion",
                [
                    "public_id",
                    "source",
                    "external_id",
                    "kind",
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
                    "deal_key",
                    "attributes",
                    "original_external_id",
                    "payload_sha256",
                ],
                message="The facts of a conversion cannot be changed; record a refund instead.",
            ),
            refuse_when(
                "referrals_conversion_original_once",
                "referrals_conversion",
                before="UPDATE",
                when="OLD.original_id IS NOT NULL AND NEW.original_id IS DISTINCT FROM OLD.original_id",
                sqlite_when="OLD.original_id IS NOT NULL AND NEW.original_id IS NOT OLD.original_id",
                message="A refund stays with the sale it was joined to.",
            ),
            refuse_when(
                "referrals_credit_superseded_once",
                "referrals_credit",
                before="UPDATE",
                when="OLD.superseded_at IS NOT NULL AND NEW.superseded_at IS DISTINCT FROM OLD.superseded_at",
                sqlite_when="OLD.superseded_at IS NOT NULL AND NEW.superseded_at IS NOT OLD.superseded_at",
                message="A credit that was corrected does not come back; correct it again instead.",
            ),
            forbid_delete("referrals_credit", message="Credits are never deleted."),
            forbid_update_of(
                "referrals_credit",
                [
                    "conversion_id",
                    "membership_id",
                    "role",
                    "share",
                    "reason",
                    "code_id",
                    "click_id",
                    "occurred_at",
                    "attributed_at",
                ],
                message="A credit cannot be changed once it is given.",
            ),
        )
    ]
