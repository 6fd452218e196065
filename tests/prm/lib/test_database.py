"""Columns, constraints and triggers on a real database: each refuses what it says it refuses, and leaves everything as it was."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator

import pytest
from django.apps.registry import Apps
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from pytest_django.fixtures import Settings

from prm.lib import constraints, crypto
from prm.lib.db import (
    Lockable,
    forbid_delete,
    forbid_update_delete,
    forbid_update_of,
    refuse_when,
    suspended_triggers,
    triggers,
)
from prm.lib.fields import EncryptedTextField, PublicIdField, Unreadable, blind_index
from prm.lib.ids import is_public_id

KEY_1, KEY_2 = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


class Colour(models.TextChoices):
    RED = "red"
    BLUE = "blue"


class SampleQuerySet(Lockable["Sample"]):
    pass


class Sample(models.Model):
    """A table of its own kind, in a registry of its own: no migration and no other test knows it."""

    public_id = PublicIdField(prefix="smp")
    secret = EncryptedTextField("secret", blank=True)
    other_secret = EncryptedTextField(blank=True)
    colour = models.CharField(max_length=5, default="red", null=True)
    amount = models.IntegerField(default=1)
    balance = models.IntegerField(default=0)
    starts_at = models.IntegerField(default=1)
    ends_at = models.IntegerField(null=True)
    decided_at = models.IntegerField(null=True)
    decided_by = models.IntegerField(null=True)
    owner = models.IntegerField(null=True)

    objects = SampleQuerySet.as_manager()

    class Meta:
        app_label = "lib_sample"
        apps = Apps()
        constraints = [
            constraints.one_of("colour", Colour, name="lib_sample_colour"),
            constraints.positive("amount", name="%(app_label)s_%(class)s_amount"),
            constraints.not_negative("balance", name="lib_sample_balance"),
            constraints.ends_after_start("starts_at", "ends_at", name="lib_sample_interval"),
            constraints.set_together("decided_at", "decided_by", name="lib_sample_decided"),
            constraints.only_one_open("owner", until="ends_at", name="lib_sample_one_open"),
        ]

    def __str__(self) -> str:
        return self.public_id


TABLE = Sample._meta.db_table


@pytest.fixture
def table(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Sample)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Sample)


def install(*wanted: object) -> Callable[[], None]:
    """Run the migration operation forwards; return how to run it backwards."""
    operation = triggers(*wanted)  # type: ignore[arg-type]
    with connection.schema_editor() as editor:
        operation.database_forwards("lib_sample", editor, None, None)
        operation.database_forwards("lib_sample", editor, None, None)  # a second time changes nothing

    def remove() -> None:
        with connection.schema_editor() as editor:
            operation.database_backwards("lib_sample", editor, None, None)

    return remove


def refuses(change: Callable[[], object], words: str) -> None:
    """Assert that the database refuses `change` with these words and that no row moved."""
    before = list(Sample.objects.order_by("pk").values_list())
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        change()
    assert list(Sample.objects.order_by("pk").values_list()) == before


@pytest.mark.usefixtures("table")
def test_the_database_refuses_rows_that_break_a_constraint_and_takes_the_others() -> None:
    Sample.objects.create(colour="blue", decided_at=1, decided_by=2, starts_at=1, ends_at=2, owner=7)
    Sample.objects.create(colour=None, owner=7)
    Sample.objects.create(owner=8)
    for broken, name in (
        ({"colour": "green"}, "colour"),
        ({"amount": 0}, "amount"),
        ({"balance": -1}, "balance"),
        ({"starts_at": 2, "ends_at": 2}, "interval"),
        ({"decided_at": 1}, "decided"),
        ({"decided_by": 1}, "decided"),
    ):
        refuses(lambda row=broken: Sample.objects.create(**row), name)  # type: ignore[misc]
    # SQLite names the columns of a unique index, PostgreSQL the index.
    refuses(lambda: Sample.objects.create(owner=7), "owner|one_open")


@pytest.mark.usefixtures("table")
def test_an_append_only_table_takes_rows_and_gives_none_back() -> None:
    remove = install(forbid_update_delete(TABLE))
    row = Sample.objects.create()
    refuses(lambda: Sample.objects.filter(pk=row.pk).update(amount=2), "append-only")
    refuses(lambda: Sample.objects.filter(pk=row.pk).delete(), "append-only")
    refuses(row.save, "append-only")
    if connection.vendor == "postgresql":
        refuses(lambda: connection.cursor().execute(f"TRUNCATE {TABLE}"), "append-only")
    remove()
    assert Sample.objects.all().delete()[0] == 1


@pytest.mark.usefixtures("table")
def test_frozen_columns_keep_their_value_while_others_move() -> None:
    remove = install(
        forbid_update_of(
            TABLE, ["amount", "colour"], message="Don't touch 100% of it.", when="OLD.balance > 0"
        ),
        forbid_delete(TABLE),
    )
    draft, frozen = Sample.objects.create(), Sample.objects.create(balance=5)
    draft.amount = 9
    draft.save()
    frozen.owner = 3
    frozen.save()  # writes every column, the frozen ones with the value they had
    refuses(lambda: Sample.objects.filter(pk=frozen.pk).update(amount=2), "Don't touch 100% of it")
    refuses(lambda: Sample.objects.filter(pk=frozen.pk).update(colour=None), "Don't touch")
    refuses(draft.delete, "never deleted")
    remove()
    assert Sample.objects.filter(pk=frozen.pk).update(amount=2) == 1


@pytest.mark.usefixtures("table")
def test_a_trigger_can_look_at_other_rows() -> None:
    crowded = f"(SELECT COUNT(*) FROM {TABLE} WHERE owner = NEW.owner) >= 2"
    remove = install(
        refuse_when("lib_sample_crowd", TABLE, before="INSERT", when=crowded, message="Two are enough.")
    )
    Sample.objects.create(owner=1, ends_at=2)
    Sample.objects.create(owner=1, ends_at=3)
    refuses(lambda: Sample.objects.create(owner=1), "Two are enough")
    Sample.objects.create(owner=2)
    remove()
    Sample.objects.create(owner=1)


@pytest.mark.usefixtures("table")
def test_suspended_triggers_are_back_afterwards_even_after_an_error() -> None:
    remove = install(forbid_update_delete(TABLE))
    Sample.objects.create()
    with suspended_triggers():
        assert Sample.objects.all().delete()[0] == 1
    Sample.objects.create()
    with pytest.raises(ZeroDivisionError), suspended_triggers():
        raise ZeroDivisionError
    refuses(lambda: Sample.objects.all().delete(), "append-only")
    remove()


@pytest.mark.usefixtures("table")
def test_rows_are_locked_in_the_order_of_their_keys() -> None:
    for _ in range(3):
        Sample.objects.create()
    with transaction.atomic():
        locked = Sample.objects.order_by("-pk").lock()
        assert locked.query.select_for_update
        keys = [row.pk for row in locked]
    assert keys == sorted(keys)


@pytest.mark.needs_postgresql
@pytest.mark.usefixtures("table")
def test_a_locked_row_makes_the_next_one_wait() -> None:
    row, order = Sample.objects.create(), []
    first_has_it = threading.Event()

    def second() -> None:
        first_has_it.wait(10)
        with transaction.atomic():
            Sample.objects.lock().get(pk=row.pk)
            order.append("second")
        connection.close()

    waiting = threading.Thread(target=second)
    waiting.start()
    with transaction.atomic():
        Sample.objects.lock().get(pk=row.pk)
        first_has_it.set()
        waiting.join(0.3)
        assert waiting.is_alive()
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]


@pytest.mark.needs_postgresql
@pytest.mark.usefixtures("table")
def test_a_locked_row_can_still_be_pointed_at() -> None:
    row, done = Sample.objects.create(), threading.Event()

    def point() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # The lock PostgreSQL takes on a row for each row that names it by a foreign key.
            cursor.execute(f"SELECT 1 FROM {TABLE} WHERE id = %s FOR KEY SHARE", [row.pk])
            done.set()
        connection.close()

    with transaction.atomic():
        Sample.objects.lock().get(pk=row.pk)
        pointing = threading.Thread(target=point)
        pointing.start()
        assert done.wait(5)
    pointing.join(10)


@pytest.mark.usefixtures("table")
def test_an_encrypted_text_is_readable_here_and_nowhere_else(settings: Settings) -> None:
    settings.PRM_FIELD_KEYS = {"k1": KEY_1}
    row = Sample.objects.create(secret="GB33BUKB20201555555555 żółw")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT secret, other_secret FROM {TABLE}")
        stored, empty = cursor.fetchone()
    assert stored.startswith("v1:k1:")
    assert "GB33" not in stored
    assert empty == ""
    row.refresh_from_db()
    assert row.secret == "GB33BUKB20201555555555 żółw"
    assert Sample.objects.values_list("secret", flat=True).get() == row.secret

    Sample.objects.update(secret="second")
    assert Sample.objects.get().secret == "second"
    row.secret = "third"
    Sample.objects.bulk_update([row], ["secret"])
    assert Sample.objects.get().secret == "third"

    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET other_secret = secret")
    with pytest.raises(Unreadable):  # the same text in another column is somebody else's
        Sample.objects.get()


@pytest.mark.usefixtures("table")
def test_an_encrypted_text_is_found_by_being_empty_and_by_nothing_else() -> None:
    Sample.objects.create(secret="")
    Sample.objects.create(secret="something")
    assert Sample.objects.filter(secret="").count() == 1
    assert Sample.objects.exclude(secret="").count() == 1
    with pytest.raises(TypeError, match="blind index"):
        Sample.objects.filter(secret="something").count()
    with pytest.raises(Exception, match="Unsupported lookup"):
        Sample.objects.filter(secret__contains="some").count()


def test_keys_rotate_without_losing_old_texts_or_indexes(settings: Settings) -> None:
    settings.PRM_FIELD_KEYS = {"k1": KEY_1}
    old, index = crypto.encrypt("hello", context="t|c"), blind_index("hello")
    settings.PRM_FIELD_KEYS = {"k2": KEY_2, "k1": KEY_1}
    assert crypto.decrypt(old, context="t|c") == "hello"
    assert not crypto.is_current(old)
    assert crypto.is_current(crypto.encrypt("hello", context="t|c"))
    assert crypto.is_current("")
    assert blind_index("hello") == index
    settings.PRM_FIELD_KEYS = {"k2": KEY_2}
    with pytest.raises(Unreadable):
        crypto.decrypt(old, context="t|c")


def test_a_text_that_was_tampered_with_is_not_opened(settings: Settings) -> None:
    settings.PRM_FIELD_KEYS = {"k1": KEY_1}
    envelope = crypto.encrypt("hello", context="t|c")
    last = "A" if envelope[-2] != "A" else "B"
    for broken in (
        envelope[:-2] + last + envelope[-1],
        "hello",
        "v2" + envelope[2:],
        envelope + ":x",
        "v1:k1::",
        "v1:k1:é:é",
    ):
        with pytest.raises(Unreadable):
            crypto.decrypt(broken, context="t|c")
    with pytest.raises(Unreadable):
        crypto.decrypt(envelope, context="t|other")
    assert crypto.encrypt("hello", context="t|c") != envelope, "equal texts do not look equal"


@pytest.mark.parametrize(
    "ring", [{}, {"k1": "short"}, {"k1": base64.b64encode(b"16 bytes only...").decode()}]
)
def test_a_senseless_key_is_named_as_a_configuration_fault(settings: Settings, ring: dict[str, str]) -> None:
    settings.PRM_FIELD_KEYS = ring
    with pytest.raises(ImproperlyConfigured, match="PRM_FIELD_KEYS"):
        crypto.encrypt("hello", context="t|c")


def test_a_blind_index_is_equal_for_equal_values_only(settings: Settings) -> None:
    settings.PRM_FIELD_KEYS = {"k1": KEY_1}
    assert blind_index("a") == blind_index("a") != blind_index("b")
    assert len(blind_index("a")) == 64
    settings.PRM_FIELD_KEYS = {"k1": KEY_2}
    first = blind_index("a")
    settings.PRM_FIELD_KEYS = {"k1": KEY_1}
    assert blind_index("a") != first


def test_a_public_id_field_makes_its_value_and_survives_a_migration_file() -> None:
    assert is_public_id(Sample().public_id, "smp")
    assert Sample().public_id != Sample().public_id
    field = Sample._meta.get_field("public_id")
    written, imports = MigrationWriter.serialize(field)
    assert written == "prm.lib.fields.PublicIdField(prefix='smp')"
    assert imports == {"import prm.lib.fields"}
    copy = field.clone()
    assert (copy.prefix, copy.unique, copy.max_length, copy.editable) == ("smp", True, 40, False)
