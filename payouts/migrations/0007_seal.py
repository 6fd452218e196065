"""Seal what was posted before there were chains, in the order it was posted."""

import hashlib
import json
from collections import defaultdict
from datetime import UTC

from django.db import migrations


def seal(apps, schema_editor):
    """Write the links of all transactions; the form is the one of payouts/chain.py when it was made."""
    account = apps.get_model("payouts", "Account")
    link = apps.get_model("payouts", "ChainLink")
    transaction = apps.get_model("payouts", "Transaction")
    owners = dict(account.objects.exclude(membership=None).values_list("pk", "membership_id"))
    last = defaultdict(lambda: (0, "0" * 64))
    made = []
    for posted in transaction.objects.order_by("pk").prefetch_related("entries").iterator(chunk_size=1000):
        moved = defaultdict(list)
        for entry in posted.entries.all():
            each = (entry.debit_id, entry.credit_id, entry.amount_minor, entry.currency)
            for member in {owners[pk] for pk in each[:2] if pk in owners}:
                moved[member].append(each)
        for member, mine in sorted(moved.items()):
            position, before = last[member]
            content = [
                before,
                position + 1,
                posted.key,
                posted.kind,
                posted.period_id,
                posted.effective_at.astimezone(UTC).isoformat(),
                posted.posted_at.astimezone(UTC).isoformat(),
                posted.reason,
                sorted(mine),
            ]
            digest = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
            last[member] = (position + 1, digest)
            made.append(
                link(membership_id=member, position=position + 1, transaction_id=posted.pk, sha256=digest)
            )
        if len(made) >= 5000:
            link.objects.bulk_create(made)
            made = []
    link.objects.bulk_create(made)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0006_guards_again")]

    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
