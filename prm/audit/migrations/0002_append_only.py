"""Make the audit record append-only in the database itself."""

from django.db import migrations

from prm.lib.db import forbid_update_delete, triggers


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        triggers(
            forbid_update_delete(
                "audit_auditevent", message="The audit record is append-only: record another event."
            )
        )
    ]
