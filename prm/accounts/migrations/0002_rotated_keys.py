"""Keys can be rotated, and each has a pace of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="calls_per_minute",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Empty: what the installation allows each key.",
                null=True,
                verbose_name="calls a minute",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_ends_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_sha256",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
    ]
