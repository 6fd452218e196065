"""A person who is erased is taken out of the audit record by one narrow door: name, note and details of an event may change when the event
names the erasure it is done for. Everything else stays append-only."""

from dataclasses import replace

import django.db.models.deletion
from django.db import migrations, models

from prm.lib.db import InstallTriggers, forbid_delete, forbid_update_delete, refuse_when, triggers

_TABLE = "audit_auditevent"
_KEPT = (
    "id",
    "public_id",
    "at",
    "actor_id",
    "action",
    "object_type",
    "object_pk",
    "object_public_id",
    "request_id",
)
_OLD = forbid_update_delete(_TABLE, message="The audit record is append-only: record another event.")


def _closed(differs: str) -> str:
    changed = " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in _KEPT)
    erasure = (
        "SELECT 1 FROM audit_auditevent e WHERE e.id = NEW.redaction_id"
        " AND e.action IN ('person.erased', 'partner.erased')"
    )
    same = "NOT " if differs == "IS NOT" else ""
    unnamed = (
        "NEW.redaction_id IS OLD.redaction_id"
        if same
        else "NEW.redaction_id IS NOT DISTINCT FROM OLD.redaction_id"
    )
    return f"({changed}) OR NEW.redaction_id IS NULL OR {unnamed} OR NOT EXISTS ({erasure})"


class Uninstall(InstallTriggers):
    """Drop triggers, and make them again when reversed."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        super().database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        Uninstall(replace(_OLD)),
        migrations.AddField(
            "auditevent",
            "redaction",
            models.ForeignKey(
                blank=True,
                editable=False,
                help_text="The erasure for which a person was taken out of this event.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="audit.auditevent",
                verbose_name="redacted for",
            ),
        ),
        triggers(
            forbid_delete(_TABLE, message="The audit record is append-only: record another event."),
            refuse_when(
                "audit_auditevent_redacted_only",
                _TABLE,
                before="UPDATE",
                when=_closed("IS DISTINCT FROM"),
                sqlite_when=_closed("IS NOT"),
                message="The audit record is append-only: record another event.",
            ),
        ),
    ]
