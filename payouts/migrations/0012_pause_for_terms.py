"""Payments may wait for terms to be accepted. SQLite rebuilds the table for another list of causes, which loses its guards: they are made again."""

from django.db import migrations, models

from prm.lib.db import forbid_delete, forbid_update_of, triggers

_FACTS = [
    "public_id",
    "membership_id",
    "commission_id",
    "cause",
    "reason",
    "review_on",
    "paused_at",
    "paused_by_id",
]
_CAUSES = ["risk", "dispute", "missing_data", "terms", "other"]


class Migration(migrations.Migration):
    dependencies = [("payouts", "0011_a_check_of_the_whole_run")]

    operations = [
        migrations.AlterField(
            model_name="pause",
            name="cause",
            field=models.CharField(
                choices=[
                    ("risk", "Under review"),
                    ("dispute", "A question is open"),
                    ("missing_data", "Something is missing"),
                    ("terms", "The terms are not accepted"),
                    ("other", "Other"),
                ],
                max_length=14,
                verbose_name="cause",
            ),
        ),
        migrations.RemoveConstraint(model_name="pause", name="payouts_pause_cause"),
        migrations.AddConstraint(
            model_name="pause",
            constraint=models.CheckConstraint(
                condition=models.Q(("cause__in", _CAUSES)), name="payouts_pause_cause"
            ),
        ),
        triggers(
            forbid_update_of("payouts_pause", _FACTS, message="A pause is ended, never rewritten."),
            forbid_delete("payouts_pause"),
        ),
    ]
