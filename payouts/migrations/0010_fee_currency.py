"""A bank's fee may be in another currency than the payment."""

from django.db import migrations, models

from prm.lib.db import forbid_update_delete, triggers


class Migration(migrations.Migration):
    dependencies = [("payouts", "0009_tax_by_hand")]

    operations = [
        migrations.AddField(
            model_name="paymentresult",
            name="fee_currency",
            field=models.CharField(blank=True, default="", max_length=3, verbose_name="currency of the fee"),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="paymentresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fee_minor", 0), models.Q(("fee_currency", ""), _negated=True), _connector="OR"
                ),
                name="payouts_paymentresult_fee_has_a_currency",
            ),
        ),
        # SQLite rebuilds the table and loses its trigger.
        triggers(forbid_update_delete("payouts_paymentresult", message="What the bank said stays said.")),
    ]
