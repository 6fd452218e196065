"""Without a broker pages, the API's verbs and imports go on; what nobody was told about is found by the sweep."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import pytest
from celery import Celery
from django.test import Client

from payouts import accrual
from payouts.models import Commission
from prm.celery import app
from prm.lib.bell import ring_now
from prm.runs.progress import Reporter
from referrals import imports
from referrals.models import Credit
from tests.house import open_house
from tests.people import ana

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
FILE = b"""event_id,kind,occurred_at,customer_id,country,partner_code,line_count,amount,currency
1,sale,2026-03-01T10:00:00Z,7,France,ANA10,1,100.00,GBP
2,sale,2026-03-01T11:00:00Z,8,France,ANA10,1,50.00,GBP
"""


@pytest.fixture
def no_broker() -> Iterator[Celery]:
    """Point the bells at a port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    before = app.conf.broker_url, app.conf.broker_transport_options
    app.conf.broker_url = app.conf.broker_write_url = f"redis://127.0.0.1:{port}/0"
    app.conf.broker_transport_options = {"socket_connect_timeout": 1, "max_retries": 0}
    forget_connections()
    yield app
    app.conf.broker_url, app.conf.broker_transport_options = before
    app.conf.broker_write_url = before[0]
    forget_connections()


def forget_connections() -> None:
    """Let the app open its connections anew, where it is told to now."""
    app._pool = None
    app.amqp._producer_pool = None


@pytest.mark.django_db(transaction=True)
def test_pages_and_imports_go_on_and_the_sweep_finds_the_work(no_broker: Celery, client: Client) -> None:
    house = open_house()
    house.member("ANA10", owner=ana())
    assert ring_now("payouts.accrue", conversion_ids=[]) is False
    result = imports.import_file(BytesIO(FILE), source="shop", at=AT, reporter=Reporter())
    assert (result.created, result.failed) == (2, 0)
    assert (Credit.objects.unrated().count(), Commission.objects.count()) == (2, 0)
    client.force_login(ana())
    assert client.get("/portal/").status_code == 200
    assert client.get(f"/p/{house.program.slug}/").status_code == 200
    accrual.sweep(at=AT)
    assert sorted(Commission.objects.values_list("amount_minor", flat=True)) == [400, 800]
