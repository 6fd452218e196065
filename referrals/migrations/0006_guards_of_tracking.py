"""What was clicked, told, decided and earned stays as it was. SQLite rebuilds tables for new columns, which loses their guards: they are
made again."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from prm.lib.db import (
    InstallTriggers,
    forbid_delete,
    forbid_update_delete,
    forbid_update_of,
    refuse_when,
    triggers,
)

_CLICK = [
    "click_id",
    "kind",
    "link_id",
    "visitor",
    "clicked_at",
    "referrer_host",
    "sub_id",
    "sub2",
    "sub3",
    "sub4",
    "sub5",
    "campaign",
    "country",
    "ad_parameter",
]
_CONVERSION = [
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
    "campaign",
    "channel",
    "lead_key",
    "payment_key",
    "deal_key",
    "attributes",
    "original_external_id",
    "payload_sha256",
]
_CREDIT = [
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
]
_TOUCH = [
    "public_id",
    "membership_id",
    "kind",
    "reference",
    "customer_id",
    "email_key",
    "touched_at",
    "recorded_at",
    "recorded_by_id",
]
_REFERRAL = [
    "public_id",
    "program_id",
    "membership_id",
    "customer_id",
    "conversion_id",
    "cause",
    "since_at",
    "recorded_at",
    "recorded_by_id",
]
_VERSION = [
    "public_id",
    "program_id",
    "number",
    "definition",
    "effective_at",
    "published_at",
    "published_by_id",
]


class _ClicksMayForget(InstallTriggers):
    """Take away the guard that let nothing of a click change, in favour of one that lets its address be forgotten."""

    def __init__(self) -> None:
        super().__init__(forbid_update_delete("referrals_click", message="Clicks are append-only."))

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        super().database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [], {}


class Migration(migrations.Migration):
    dependencies = [("referrals", "0005_tracking")]

    operations = [
        _ClicksMayForget(),
        triggers(
            forbid_delete("referrals_click", message="Clicks are append-only."),
            # Addresses and agents are emptied on a schedule; nothing else of a click ever changes.
            forbid_update_of("referrals_click", _CLICK, message="Clicks are append-only."),
            forbid_delete(
                "referrals_conversion", message="Conversions are never deleted; record a refund instead."
            ),
            forbid_update_of(
                "referrals_conversion",
                _CONVERSION,
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
                "referrals_credit", _CREDIT, message="A credit cannot be changed once it is given."
            ),
            forbid_update_delete(
                "referrals_conversionline", message="Lines of a conversion stay as they were told."
            ),
            forbid_update_delete(
                "referrals_attributionrecord", message="A decision about credit is followed by another one."
            ),
            forbid_update_of(
                "referrals_attributionversion",
                _VERSION,
                when="OLD.published_at IS NOT NULL",
                message="Published attribution rules are replaced by a new version.",
            ),
            refuse_when(
                "referrals_attributionversion_stays",
                "referrals_attributionversion",
                before="DELETE",
                when="OLD.published_at IS NOT NULL",
                message="Published attribution rules are never deleted.",
            ),
            forbid_delete("referrals_touch", message="A touch is withdrawn, never deleted."),
            forbid_update_of("referrals_touch", _TOUCH, message="A touch stays as it was told."),
            forbid_delete("referrals_referral", message="Who brought whom is ended, never deleted."),
            forbid_update_of(
                "referrals_referral", _REFERRAL, message="Who brought whom is ended, never rewritten."
            ),
            forbid_delete(
                "referrals_code", message="A code is retired, never deleted: it is not given again."
            ),
            forbid_update_of(
                "referrals_code", ["public_id", "code"], message="A code keeps its letters for ever."
            ),
            forbid_delete("referrals_link", message="A link is switched off, never deleted."),
        ),
    ]
