"""One run at a time is being prepared for an entity and currency."""

from django.db import migrations, models

_BEING_PREPARED = ("draft", "checked")


def keep_the_newest(apps, schema_editor):
    """Cancel the older of several runs that waited for approval; nobody's approval would hold any more, since the hash covers more now.

    What they would have paid waits for the next run, as after every cancellation.
    """
    run, payment = apps.get_model("payouts", "PayRun"), apps.get_model("payouts", "Payment")
    seen = set()
    for row in run.objects.filter(state__in=_BEING_PREPARED).order_by("-prepared_at", "-pk"):
        key = (row.legal_entity_id, row.currency)
        if key not in seen:
            seen.add(key)
            continue
        run.objects.filter(pk=row.pk).update(
            state="cancelled", cancelled_at=row.prepared_at, cancelled_by=row.prepared_by_id
        )
        queued = payment.objects.filter(pay_run=row.pk, state="queued")
        _carry_over(apps, list(queued.values_list("statement", flat=True)))
        queued.update(state="cancelled")
    if schema_editor.connection.vendor == "postgresql":
        # An index is not made while foreign keys wait to be checked.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


def _carry_over(apps, ids):
    """Let statements whose balance a later one carries say so."""
    statement = apps.get_model("payouts", "Statement")
    for each in statement.objects.filter(pk__in=ids, state="issued").select_related("period"):
        later = models.Q(period__year__gt=each.period.year) | models.Q(
            period__year=each.period.year, period__month__gt=each.period.month
        )
        same = statement.objects.filter(membership=each.membership_id, currency=each.currency)
        if same.filter(later).exists():
            statement.objects.filter(pk=each.pk).update(state="carried_over")


class Migration(migrations.Migration):
    dependencies = [("payouts", "0007_seal")]

    operations = [
        migrations.RunPython(keep_the_newest, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="payrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["draft", "checked"])),
                fields=("legal_entity", "currency"),
                name="payouts_payrun_one_being_prepared",
            ),
        ),
    ]
