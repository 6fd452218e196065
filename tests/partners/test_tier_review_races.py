"""Ten who decide on one case in the same moment, two workers on one round, a worker that dies in the middle: one placement, one letter, and
each case once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.conf import settings
from django.db import connection

from partners import placement
from partners.models import Placement, TierReview
from partners.tier_reviews import appeals, cases, decisions, overrides, rounds
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from prm.runs.progress import Reporter
from tests.partners.score_scene import BY_ITSELF, REVIEWED, mails, moves, scene, tier_of
from tests.partners.test_races import at_once
from tests.people import ada, mats

pytestmark = pytest.mark.django_db(transaction=True)
SINCE = datetime(2026, 6, 15, tzinfo=UTC)
JULY = datetime(2026, 7, 3, 10, tzinfo=UTC)
GRACE_OVER = datetime(2026, 8, 30, 23, tzinfo=UTC)


def test_ten_decisions_on_one_case_end_in_one_placement_and_one_mail() -> None:
    here = scene(since=SINCE)
    membership = here.member("bronze", 85)
    here.review()
    case, by = here.case(membership), (ada(), mats())
    results = at_once(*[lambda each=by[n % 2]: decisions.decide(case, by=each, at=JULY) for n in range(10)])
    assert sum(isinstance(each, TierReview) for each in results) == 1
    assert sum(isinstance(each, cases.CaseClosed) for each in results) == 9
    assert moves(membership) == [("gold", JULY)]
    assert len(mails()) == 1
    assert AuditEvent.objects.filter(action="tier_review.applied").count() == 1


def test_everything_at_once_at_the_end_of_grace_comes_to_one_end() -> None:
    here = scene(since=SINCE, **BY_ITSELF)
    membership = here.member("gold", 60)
    here.review()
    case, owner = here.case(membership), here.owner(membership)
    at_once(
        lambda: decisions.apply_due(at=GRACE_OVER),
        lambda: decisions.decide(case, by=mats(), at=GRACE_OVER),
        lambda: decisions.keep(case, by=mats(), at=GRACE_OVER, note="-"),
        lambda: appeals.appeal(case, text="-", by=owner, at=JULY),
        lambda: overrides.override(
            membership, tier=here.tiers["bronze"], reason="-", until=GRACE_OVER.date().replace(month=12),
            by=mats(), at=GRACE_OVER,
        ),
        lambda: placement.place(
            membership, tier=here.tiers["silver"], by=mats(), at=GRACE_OVER, because="-"
        ),
    )  # fmt: skip
    case.refresh_from_db()
    intervals = list(Placement.objects.order_by("starts_at").values_list("starts_at", "ends_at"))
    assert all(ends == starts for (_s, ends), (starts, _e) in pairwise(intervals))
    assert Placement.objects.filter(ends_at=None).count() == 1
    assert case.state in {"applied", "kept", "appealed", "lapsed"}
    if case.state == "appealed":
        assert tier_of(membership) == "gold"


def test_the_last_place_of_a_tier_is_given_once() -> None:
    here = scene(since=SINCE)
    here.tiers["gold"].capacity = 1
    here.tiers["gold"].save()
    members = [here.member("bronze", 85) for _number in range(4)]
    here.review()
    found = [here.case(member) for member in members]
    results = at_once(*[lambda each=each: decisions.decide(each, by=mats(), at=JULY) for each in found])
    assert sum(isinstance(each, placement.NoRoom) for each in results) == 3
    assert Placement.objects.open().filter(tier=here.tiers["gold"]).count() == 1
    assert TierReview.objects.filter(state="proposed").count() == 3


def test_two_workers_on_one_round_write_each_case_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "CHUNK", 3)
    here = scene(since=SINCE, **BY_ITSELF)
    members = [here.member("bronze", 85) for _number in range(6)]
    [row] = rounds.open_due(at=REVIEWED)
    results = at_once(*[lambda: rounds.carry_out(row, Reporter(), at=REVIEWED)] * 3)
    assert not any(isinstance(each, Refused) for each in results)
    assert TierReview.objects.filter(round=row, state="applied").count() == 6
    assert [len(moves(each)) for each in members] == [1] * 6
    assert OutgoingMail.objects.filter(kind="tier_rise").count() == 6


@pytest.mark.needs_postgresql
def test_a_worker_killed_in_the_middle_leaves_a_round_that_goes_on() -> None:
    here = scene(since=SINCE, **BY_ITSELF)
    members = [here.member("bronze", 85) for _number in range(12)]
    [row] = rounds.open_due(at=REVIEWED)
    program = (
        "import django; django.setup()\n"
        "from datetime import datetime\n"
        "from partners.models import ReviewRound\n"
        "from partners.tier_reviews import rounds\n"
        "from prm.runs.progress import Reporter\n"
        "rounds.CHUNK = 1\n"
        f"row = ReviewRound.objects.get(pk={row.pk})\n"
        f"rounds.carry_out(row, Reporter(), at=datetime.fromisoformat({REVIEWED.isoformat()!r}))\n"
    )
    facts = connection.settings_dict
    address = (
        f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
    )
    environment = dict(os.environ, DJANGO_SETTINGS_MODULE="tests.settings", DATABASE_URL=address)
    worker = subprocess.Popen([sys.executable, "-c", program], cwd=settings.BASE_DIR, env=environment)
    deadline = time.monotonic() + 60
    while TierReview.objects.count() < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    row.refresh_from_db()
    assert row.state == "running"  # it died before the end
    rounds.carry_out(row, Reporter(), at=REVIEWED)
    assert TierReview.objects.filter(round=row, state="applied").count() == 12
    assert [len(moves(each)) for each in members] == [1] * 12
    assert OutgoingMail.objects.filter(kind="tier_rise").count() == 12
