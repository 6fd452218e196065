"""Points that were earned stay as they were; what is taken back is a row of its own."""

from django.db import migrations

from prm.lib.db import forbid_update_delete, triggers


class Migration(migrations.Migration):
    dependencies = [("referrals", "0003_points")]

    operations = [
        triggers(
            forbid_update_delete(
                "referrals_pointentry",
                message="Points cannot change: what is taken back is a row of its own.",
            )
        )
    ]
