"""A check is raised once for a membership and once for the whole run, on SQLite too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payouts", "0010_fee_currency")]

    operations = [
        migrations.RemoveConstraint(model_name="payruncheck", name="payouts_payruncheck_once"),
        migrations.AddConstraint(
            model_name="payruncheck",
            constraint=models.UniqueConstraint(
                fields=("pay_run", "membership", "kind"), name="payouts_payruncheck_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="payruncheck",
            constraint=models.UniqueConstraint(
                condition=models.Q(("membership", None)),
                fields=("pay_run", "kind"),
                name="payouts_payruncheck_once_for_all",
            ),
        ),
    ]
