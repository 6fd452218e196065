"""An invitation into a program can be prepared before it is mailed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("partners", "0004_guards_again")]

    operations = [
        migrations.AddField("programinvitation", "sent_at", models.DateTimeField(blank=True, null=True)),
    ]
