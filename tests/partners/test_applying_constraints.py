"""What the database refuses about applications, their files and their references, whoever writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from partners.models import Application, Reference
from tests.factories.partners import ApplicationFactory
from tests.factories.prm import UserFactory
from tests.factories.recruiting import ApplicationFileFactory, ReferenceFactory
from tests.factories.tiers import EPOCH

pytestmark = pytest.mark.django_db

REFUSALS: list[tuple[str, Callable[[], Any]]] = [
    ("partners_application_entered_pair", lambda: ApplicationFactory(entered_at=EPOCH)),
    ("partners_application_assigned_pair", lambda: ApplicationFactory(assigned_at=EPOCH)),
    ("partners_application_sent_by_somebody", lambda: ApplicationFactory(full_name="")),
    ("partners_application_sent_by_somebody", lambda: ApplicationFactory(email_folded="")),
    ("partners_reference_asked_pair", lambda: ReferenceFactory(asked_at=EPOCH)),
    ("partners_reference_answer", lambda: ReferenceFactory(answer="perhaps", answered_at=EPOCH)),
    ("partners_reference_answered_has_date", lambda: ReferenceFactory(answer="confirmed")),
    ("partners_reference_answered_has_date", lambda: ReferenceFactory(answered_at=EPOCH)),
]


@pytest.mark.parametrize(("name", "write"), REFUSALS)
def test_a_check_refuses(name: str, write: Callable[[], Any]) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        write()
    assert not Reference.objects.exists()
    assert not Application.objects.filter(entered_at=EPOCH).exists()


def test_two_links_never_carry_the_same_word() -> None:
    for factory in (ApplicationFactory, ReferenceFactory):
        factory(token_sha256="a" * 64)
        with pytest.raises(IntegrityError), transaction.atomic():
            factory(token_sha256="a" * 64)


def test_a_sent_application_is_never_deleted_and_a_draft_goes_with_all_it_has() -> None:
    sent = ApplicationFactory()
    # partners_application_keep
    with pytest.raises(IntegrityError, match="that was sent is never deleted"), transaction.atomic():
        Application.objects.filter(pk=sent.pk).delete()
    draft = ApplicationFactory(state="draft", submitted_at=None, full_name="", email="", email_folded="")
    ApplicationFileFactory(application=draft)
    ReferenceFactory(application=draft)
    draft.delete()
    assert list(Application.objects.all()) == [sent]
    assert not Reference.objects.exists()


def test_a_withdrawn_application_stays_withdrawn() -> None:
    application = ApplicationFactory(state="withdrawn")
    with (
        pytest.raises(IntegrityError, match="decided once"),
        transaction.atomic(),
    ):  # partners_application_decided_once
        Application.objects.filter(pk=application.pk).update(state="submitted")
    Application.objects.filter(pk=application.pk).update(decided_by=UserFactory(), decided_at=EPOCH)
