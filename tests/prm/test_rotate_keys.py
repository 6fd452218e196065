"""A new key in front of the ring takes over what the old one encrypted, in steps, and again wherever it stopped."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from payouts.models import Payment, PaymentMethod
from prm.lib import rotation
from prm.lib.fields import EncryptedTextField, blind_index
from tests.factories.payout_rows import PaymentFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db

KEY_1, KEY_2 = "B" * 43 + "=", "C" * 43 + "="
IBAN = "GB33BUKB20201555555555"


def ring(settings: Any, *names: str) -> None:
    keys = {"k1": KEY_1, "k2": KEY_2}
    settings.PRM_FIELD_KEYS = {name: keys[name] for name in names}


def envelopes() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT iban FROM payouts_paymentmethod WHERE iban <> '' ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def run(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("rotate_keys", *arguments, "--json", stdout=out, stderr=StringIO())
    answer: dict[str, object] = json.loads(out.getvalue())
    return answer


def field(model: type, name: str) -> EncryptedTextField:
    found = model._meta.get_field(name)  # type: ignore[attr-defined]
    assert isinstance(found, EncryptedTextField)
    return found


def test_every_encrypted_column_is_found() -> None:
    found = {f"{each.model._meta.label}.{each.name}" for each in rotation.columns()}
    assert found >= {
        "payouts.PaymentMethod.iban",
        "payouts.PaymentMethod.details",
        "payouts.Payment.iban",
        "payouts.Payment.details",
        "tiers.LegalEntity.iban",
    }


def test_the_new_key_takes_over_and_the_old_one_is_no_longer_needed_to_read(
    settings: Any,
) -> None:
    ring(settings, "k1")
    method = PaymentMethodFactory.create(iban=IBAN, details='{"email": "a@x.example"}')
    payment = PaymentFactory.create(payment_method=method, iban=IBAN)
    index = method.account_index
    ring(settings, "k2", "k1")
    assert blind_index(IBAN) == index
    tried = run("--dry-run")
    assert tried["rotated"] == 3 and envelopes()[0].startswith("v1:k1:")
    done = run()
    assert (done["state"], done["rotated"], done["unreadable"]) == ("finished", 3, 0)
    assert all(each.startswith("v1:k2:") for each in envelopes())
    ring(settings, "k2")
    assert PaymentMethod.objects.get(pk=method.pk).details == '{"email": "a@x.example"}'
    assert Payment.objects.get(pk=payment.pk).iban == IBAN
    assert run()["rotated"] == 0


def test_it_goes_on_where_it_stopped(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ring(settings, "k1")
    PaymentMethodFactory.create_batch(3, iban=IBAN)
    ring(settings, "k2", "k1")
    monkeypatch.setattr(rotation, "AT_ONCE", 2)

    def stop(_now: rotation.Rotated) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(field(PaymentMethod, "iban"), tell=stop)
    assert [each.split(":")[1] for each in envelopes()] == ["k2", "k2", "k1"]
    again = rotation.rotate(field(PaymentMethod, "iban"))
    assert (again.current, again.rotated) == (2, 1)


def test_what_no_key_opens_stays_and_is_counted(settings: Any) -> None:
    ring(settings, "k1")
    PaymentMethodFactory.create(iban=IBAN)
    before = envelopes()
    ring(settings, "k2")
    with pytest.raises(CommandError) as ended:
        run()
    assert ended.value.returncode == 3 and envelopes() == before
