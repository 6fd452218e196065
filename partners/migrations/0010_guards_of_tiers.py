"""What the database refuses about tiers: placements that overlap or leave a gap, and facts of reviews, figures, credentials and targets that
change."""

from typing import Any

from django.db import migrations

from prm.lib.db import forbid_delete, forbid_update_delete, forbid_update_of, refuse_when, triggers

_PLACEMENT, _REVIEW = "partners_placement", "partners_tierreview"
_TERMS_FACTS = (
    "program_id",
    "tier_id",
    "number",
    "summary",
    "pricing",
    "what_counts",
    "how_measured",
    "support",
    "effective_at",
    "notice_days",
    "accept_within_days",
    "asks_members",
    "consequence",
    "published_at",
    "published_by_id",
    "sha256",
)
_JOINED = "SELECT joined_at FROM partners_membership WHERE id = NEW.membership_id"
_OTHERS = "SELECT 1 FROM partners_placement AS other WHERE other.membership_id = NEW.membership_id"


def forbid_overlaps(apps: Any, schema_editor: Any) -> None:
    """Let PostgreSQL refuse overlapping intervals also where two transactions do not see each other."""
    if schema_editor.connection.vendor == "postgresql":
        # A range of one key compares as equality and asks for no extension.
        schema_editor.execute(
            f"ALTER TABLE {_PLACEMENT} ADD CONSTRAINT partners_placement_no_overlap EXCLUDE USING gist "
            "(int8range(membership_id, membership_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&)"
        )


def allow_overlaps(apps: Any, schema_editor: Any) -> None:
    """Take the constraint away again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {_PLACEMENT} DROP CONSTRAINT partners_placement_no_overlap")


class Migration(migrations.Migration):
    dependencies = [("partners", "0009_tiers_as_due_process")]

    operations = [
        triggers(
            refuse_when(
                "partners_placement_overlap",
                _PLACEMENT,
                before="INSERT",
                when=f"EXISTS ({_OTHERS} AND (other.ends_at IS NULL OR other.ends_at > NEW.starts_at))",
                message="A membership stands in one tier at a time.",
            ),
            refuse_when(
                "partners_placement_gap",
                _PLACEMENT,
                before="INSERT",
                when=f"EXISTS ({_OTHERS}) AND NOT EXISTS ({_OTHERS} AND other.ends_at = NEW.starts_at)",
                message="A placement begins where the one before ended.",
            ),
            refuse_when(
                "partners_placement_first",
                _PLACEMENT,
                before="INSERT",
                when=f"NOT EXISTS ({_OTHERS}) AND NEW.starts_at > ({_JOINED})",
                message="A membership stands in a tier from the moment it begins.",
            ),
            refuse_when(
                "partners_placement_ended_once",
                _PLACEMENT,
                before="UPDATE",
                when="OLD.ends_at IS NOT NULL AND NEW.ends_at IS DISTINCT FROM OLD.ends_at",
                sqlite_when="OLD.ends_at IS NOT NULL AND NEW.ends_at IS NOT OLD.ends_at",
                message="A placement that has ended keeps its end.",
            ),
            forbid_update_of(
                _PLACEMENT,
                [
                    "membership_id",
                    "tier_id",
                    "starts_at",
                    "placed_at",
                    "placed_by_id",
                    "keeps_customers",
                    "customers_keep_ends_at",
                ],
                message="A placement cannot change, only end.",
            ),
            forbid_delete(_PLACEMENT, message="Placements are never deleted: money hangs on them."),
            forbid_update_of(
                _REVIEW,
                [
                    "round_id",
                    "membership_id",
                    "from_tier_id",
                    "measured_tier_id",
                    "to_tier_id",
                    "outcome",
                    "figures",
                    "evaluated_at",
                ],
                message="What a review was decided on cannot change.",
            ),
            forbid_delete(_REVIEW, message="Reviews of tiers are never deleted."),
            forbid_update_delete("partners_reviewevidence", message="Evidence of a review cannot change."),
            forbid_update_of(
                "partners_stafffigure",
                ["membership_id", "metric", "value", "counted_on", "entered_at", "entered_by_id"],
                message="A figure cannot change: enter a newer one.",
            ),
            forbid_delete("partners_stafffigure", message="Figures are never deleted: enter a newer one."),
            forbid_update_of(
                "partners_credential",
                ["certification_id", "staff_id", "source", "given_at", "given_by_id"],
                message="A credential cannot change hands.",
            ),
            forbid_delete("partners_credential", message="Credentials are never deleted, only revoked."),
            forbid_update_of(
                "partners_goalchange",
                ["goal_id", "before", "after", "proposed_at", "proposed_by_id"],
                message="A changed target cannot be changed: propose another one.",
            ),
            forbid_update_of(
                "partners_termsversion",
                _TERMS_FACTS,
                when="OLD.published_at IS NOT NULL",
                message="Published terms cannot be changed: publish a new version.",
            ),
        ),
        migrations.RunPython(forbid_overlaps, allow_overlaps),
    ]
