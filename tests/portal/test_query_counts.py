"""How many questions a page asks the database: written down, so that a page never slows down unnoticed.

To write the numbers down anew after a change you can explain: PRM_WRITE_GOLDEN=1 pytest tests/portal/test_query_counts.py
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partners.models import Membership
from payouts.models import Commission
from prm.lib.periods import Month
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene, on

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent.parent / "golden" / "query_counts.json"
HOME_BUDGET = 19  # one is what the books, pauses and tax say of the next payment, four what the tier asks, measures and gives
CHECKLIST_BUDGET = 7  # what a newcomer's Home asks besides


def counts_of(scene: Scene) -> dict[str, int]:
    line = Commission.objects.get(conversion__external_id="feb-1")
    statement = scene.statement(Month(2026, 5))
    addresses = {
        "portal:home": reverse("portal:home"),
        "portal:earnings": reverse("portal:earnings"),
        "portal:earnings?q&stage": reverse("portal:earnings") + "?q=ana&stage=ready",
        "portal:commission": reverse("portal:commission", args=[line.public_id]),
        "portal:links": reverse("portal:links"),
        "portal:statements": reverse("portal:statements"),
        "portal:statement": reverse("portal:statement", args=[statement.public_id]),
        "portal:payment_details": reverse("portal:payment_details"),
        "portal:team": reverse("portal:team"),
    }
    client = signed_in(scene)
    client.get(reverse("portal:home"))  # what a session asks once is not the page's
    counts = {}
    for name, address in addresses.items():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        counts[name] = len(queries)
    return counts


def test_pages_ask_as_often_as_written_down_and_not_more_often_for_more_rows(busy: Scene) -> None:
    counts = counts_of(busy)
    if os.environ.get("PRM_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(counts, indent=2) + "\n")
    assert counts == json.loads(GOLDEN.read_text())
    assert counts["portal:home"] <= HOME_BUDGET
    for number in range(20):
        busy.house.sale(f"more-{number}", "10.00", "ANA10", on(6, 19))
    busy.house.rate(on(6, 20))
    with_more = counts_of(busy)
    assert {name: count for name, count in with_more.items() if count > counts[name]} == {}


def test_only_a_newcomers_home_reads_the_checklist(busy: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(busy)
    client.get(reverse("portal:home"))
    with CaptureQueriesContext(connection) as later:
        assert "First steps" not in client.get(reverse("portal:home")).content.decode()
    Membership.objects.filter(pk=busy.membership.pk).update(joined_at=NOW - timedelta(days=30))
    with CaptureQueriesContext(connection) as first:
        assert "Still to do" in client.get(reverse("portal:home")).content.decode()
    assert len(first) - len(later) <= CHECKLIST_BUDGET
