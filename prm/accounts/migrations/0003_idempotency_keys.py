"""What callers were answered is kept for a week, so that a retry is answered the same."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_rotated_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("method", models.CharField(max_length=8)),
                ("path", models.CharField(max_length=200)),
                ("body_sha256", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("body", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(db_index=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.apikey",
                    ),
                ),
            ],
            options={
                "verbose_name": "answer kept for a retry",
                "verbose_name_plural": "answers kept for retries",
                "constraints": [
                    models.UniqueConstraint(fields=("api_key", "key"), name="accounts_idempotencykey_once"),
                    models.CheckConstraint(
                        condition=models.Q(("key", ""), _negated=True), name="accounts_idempotencykey_named"
                    ),
                ],
            },
        ),
    ]
