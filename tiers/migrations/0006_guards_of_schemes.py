"""A published scheme of tiers never changes; the database refuses it."""

from django.db import migrations

from prm.lib.db import forbid_update_of, refuse_when, triggers


class Migration(migrations.Migration):
    dependencies = [("tiers", "0005_tiers_as_due_process")]

    operations = [
        triggers(
            forbid_update_of(
                "tiers_tierscheme",
                [
                    "program_id",
                    "number",
                    "definition",
                    "effective_at",
                    "report",
                    "published_at",
                    "published_by_id",
                    "sha256",
                ],
                when="OLD.published_at IS NOT NULL",
                message="A published scheme of tiers cannot change: make a new version.",
            ),
            refuse_when(
                "tiers_tierscheme_keep",
                "tiers_tierscheme",
                before="DELETE",
                when="OLD.published_at IS NOT NULL",
                message="A published scheme of tiers is kept for ever.",
            ),
            refuse_when(
                "tiers_tierscheme_stays_published",
                "tiers_tierscheme",
                before="UPDATE",
                when="OLD.state <> 'draft' AND NEW.state = 'draft'",
                message="A published scheme of tiers does not become a draft again.",
            ),
        )
    ]
