"""What was learned counts for one credential: to renew it, lessons are passed again in the next round; a reminder is sent once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("partners", "0010_guards_of_tiers")]

    operations = [
        migrations.RemoveConstraint(model_name="lessonattempt", name="partners_lessonattempt_passed_once"),
        migrations.AddField(
            model_name="credential",
            name="reminded_days",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="reminded, days before"
            ),
        ),
        migrations.AddField(
            model_name="lessonattempt",
            name="round",
            field=models.PositiveSmallIntegerField(default=1, verbose_name="round"),
        ),
        migrations.AddConstraint(
            model_name="lessonattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("passed", True)),
                fields=("lesson", "staff", "round"),
                name="partners_lessonattempt_passed_once",
            ),
        ),
    ]
