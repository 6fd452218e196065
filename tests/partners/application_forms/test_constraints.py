"""What the database refuses about application forms, whoever writes to it. Every name here is a constraint or a trigger that was seen to
bite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, models, transaction

from partners.models import FormVersion
from tests.factories.recruiting import FormVersionFactory
from tests.factories.tiers import EPOCH

pytestmark = pytest.mark.django_db
LATER = EPOCH + timedelta(days=30)


def update(row: models.Model, **values: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**values)


def same_number() -> None:
    version = FormVersionFactory(published=True)
    FormVersionFactory(program=version.program, number=version.number)


def two_in_use() -> None:
    version = FormVersionFactory(published=True)
    FormVersionFactory(program=version.program, published=True)


def two_drafts() -> None:
    version = FormVersionFactory()
    FormVersionFactory(program=version.program)


CONSTRAINTS: dict[str, Callable[[], object]] = {
    "partners_formversion_one_per_number": same_number,
    "partners_formversion_one_in_use": two_in_use,
    "partners_formversion_one_draft": two_drafts,
    "partners_formversion_state": lambda: FormVersionFactory(
        state="lost", published_at=EPOCH, is_standard=True
    ),
    "partners_formversion_published_has_date": lambda: FormVersionFactory(state="published"),
    "partners_formversion_published_by_somebody": lambda: FormVersionFactory(
        published=True, published_by=None
    ),
}
UNIQUE = {
    "partners_formversion_one_per_number": ("program_id", "number"),
    "partners_formversion_one_in_use": ("program_id",),
    "partners_formversion_one_draft": ("program_id",),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_database_refuses(name: str) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        CONSTRAINTS[name]()
    told = str(refusal.value)
    # SQLite names the columns of a unique constraint, not the constraint.
    assert name in told or all(f"partners_formversion.{column}" in told for column in UNIQUE[name])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("definition", {"fields": [1]}),
        ("number", 99),
        ("is_standard", True),
        ("published_at", LATER),
        ("published_by_id", None),
        ("sha256", "1" * 64),
    ],
)
def test_a_published_form_is_never_changed(column: str, value: object) -> None:
    version = FormVersionFactory(published=True)

    with (
        pytest.raises(IntegrityError, match="cannot be changed: publish a new version"),
        transaction.atomic(),
    ):
        update(version, **{column: value})


def test_a_published_form_moves_to_no_other_program() -> None:
    version, other = FormVersionFactory(published=True), FormVersionFactory()

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        update(version, program_id=other.program_id)


def test_partners_formversion_keep_refuses_to_delete_what_was_published() -> None:
    version = FormVersionFactory(published=True)

    with pytest.raises(IntegrityError, match="A published form is never deleted"), transaction.atomic():
        FormVersion.objects.filter(pk=version.pk).delete()


def test_a_draft_is_changed_and_deleted() -> None:
    version = FormVersionFactory()

    update(version, definition={"fields": [1]})
    version.delete()

    assert not FormVersion.objects.exists()
