"""Daily figures of stages: leads that qualified, conversions a click was credited for, and how long they took."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payouts", "0016_guards_of_risk")]

    operations = [
        migrations.AddField(
            "dailytotal",
            "qualified",
            models.PositiveIntegerField(default=0, verbose_name="of them qualified"),
        ),
        migrations.AddField(
            "dailytotal",
            "from_clicks",
            models.PositiveIntegerField(default=0, verbose_name="of them after a click"),
        ),
        migrations.AddField(
            "dailytotal",
            "waited_minutes",
            models.PositiveBigIntegerField(default=0, verbose_name="minutes from click to conversion"),
        ),
    ]
