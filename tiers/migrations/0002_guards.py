"""A published plan version and its rules never change; the database refuses it."""

from django.db import migrations

from prm.lib.db import forbid_update_of, refuse_when, triggers

_IS_NO_DRAFT = "(SELECT state FROM tiers_planversion WHERE id = {row}.version_id) <> 'draft'"
# Neither does a row of a draft move into a version that is published.
_ONE_IS_NO_DRAFT = f"{_IS_NO_DRAFT.format(row='OLD')} OR {_IS_NO_DRAFT.format(row='NEW')}"
_CASE = "The examples of a published plan version cannot change: make a new version."
_MESSAGE = "Rules of a published plan version cannot change: make a new version."


class Migration(migrations.Migration):
    dependencies = [("tiers", "0001_initial")]

    operations = [
        triggers(
            forbid_update_of(
                "tiers_planversion",
                [
                    "plan_id",
                    "number",
                    "combine",
                    "effective_at",
                    "member_key",
                    "deducts",
                    "excluded_products",
                    "excluded_categories",
                    "grandfather",
                    "notice_days",
                    "proposed_at",
                    "proposed_by_id",
                    "accepted_at",
                    "accepted_by_id",
                    "report",
                    "published_at",
                    "published_by_id",
                    "sha256",
                ],
                when="OLD.published_at IS NOT NULL",
                message="A published plan version cannot change: make a new version.",
            ),
            refuse_when(
                "tiers_planversion_keep",
                "tiers_planversion",
                before="DELETE",
                when="OLD.published_at IS NOT NULL",
                message="A published plan version is kept for ever.",
            ),
            refuse_when(
                "tiers_planversion_stays_published",
                "tiers_planversion",
                before="UPDATE",
                when="OLD.state NOT IN ('draft', 'proposed') AND NEW.state IN ('draft', 'proposed')",
                message="A published plan version does not become a draft again.",
            ),
            refuse_when(
                "tiers_rule_insert",
                "tiers_rule",
                before="INSERT",
                when=_IS_NO_DRAFT.format(row="NEW"),
                message=_MESSAGE,
            ),
            refuse_when(
                "tiers_rule_update",
                "tiers_rule",
                before="UPDATE",
                when=_ONE_IS_NO_DRAFT,
                message=_MESSAGE,
            ),
            refuse_when(
                "tiers_rule_delete",
                "tiers_rule",
                before="DELETE",
                when=_IS_NO_DRAFT.format(row="OLD"),
                message=_MESSAGE,
            ),
            refuse_when(
                "tiers_plancase_insert",
                "tiers_plancase",
                before="INSERT",
                when=_IS_NO_DRAFT.format(row="NEW"),
                message=_CASE,
            ),
            refuse_when(
                "tiers_plancase_update",
                "tiers_plancase",
                before="UPDATE",
                when=_ONE_IS_NO_DRAFT,
                message=_CASE,
            ),
            refuse_when(
                "tiers_plancase_delete",
                "tiers_plancase",
                before="DELETE",
                when=_IS_NO_DRAFT.format(row="OLD"),
                message=_CASE,
            ),
        )
    ]
