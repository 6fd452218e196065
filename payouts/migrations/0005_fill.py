"""Tell of what was there before what is new: in which currency payments left, and which number a file has."""

from django.db import migrations
from django.db.models import F


def fill(apps, schema_editor):
    """Fill the new columns of rows written before; their guards are aside."""
    payment = apps.get_model("payouts", "Payment")
    payment.objects.filter(sent_currency="").update(sent_minor=F("amount_minor"), sent_currency=F("currency"))
    method = apps.get_model("payouts", "PaymentMethod")
    method.objects.filter(payout_currency="").update(payout_currency=F("currency"))
    file = apps.get_model("payouts", "PaymentFile")
    for row in file.objects.filter(number="").select_related("pay_run").only("pk", "pay_run__currency"):
        file.objects.filter(pk=row.pk).update(number=f"F-{row.pk:05d}", currency=row.pay_run.currency)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0004_more_money")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
