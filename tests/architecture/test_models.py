"""What every table keeps to: it knows only what lies upstream, and what it forbids has been seen to be forbidden."""

from __future__ import annotations

import importlib
import pkgutil

import factory
import pytest
from django.db import models

import tests.factories
from tests.architecture.house import RIVER, ROOT, files_of_tests, listing, our_models

# Rows that Django or a library writes on its own account are not listed: these are ours.
PEOPLE_WITHOUT_A_MOMENT: set[str] = set()


def test_foreign_keys_point_upstream() -> None:
    downhill = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in our_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and RIVER.get(field.related_model._meta.app_label, 0) > RIVER[model._meta.app_label]
    ]
    assert not downhill, listing(downhill)


def test_every_model_has_a_factory() -> None:
    made = set()
    for module in pkgutil.iter_modules(tests.factories.__path__):
        for thing in vars(importlib.import_module(f"tests.factories.{module.name}")).values():
            if isinstance(thing, type) and issubclass(thing, factory.Factory) and thing._meta.model:
                made.add(thing._meta.get_model_class())
    missing = [m._meta.label for m in our_models() if m not in made and not m._meta.proxy and m._meta.managed]
    assert not missing, listing(missing)


def named_constraints() -> list[tuple[str, str]]:
    return [
        (model._meta.label, constraint.name)
        for model in our_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint | models.UniqueConstraint)
    ]


def test_every_constraint_is_seen_to_refuse() -> None:
    said = "\n".join(path.read_text(encoding="utf-8") for path in files_of_tests())
    unseen = [f"{label}: {name}" for label, name in named_constraints() if name not in said]
    assert not unseen, listing(unseen, "write a test that sees the database refuse, and names the constraint")


def test_constraints_are_named_after_their_table() -> None:
    misnamed = [
        f"{model._meta.label}: {constraint.name}"
        for model in our_models()
        for constraint in model._meta.constraints
        if not constraint.name.startswith(f"{model._meta.app_label}_")
    ]
    assert not misnamed, listing(misnamed)


def test_who_did_it_stands_beside_when() -> None:
    unpaired = []
    for model in our_models():
        names = {field.name for field in model._meta.concrete_fields}
        unpaired += [
            f"{model._meta.label}.{name}"
            for name in names
            if name.endswith("_by")
            and f"{name[:-3]}_at" not in names
            and f"{model._meta.label}.{name}" not in PEOPLE_WITHOUT_A_MOMENT
        ]
    assert not unpaired, listing(unpaired)


def test_no_column_holds_a_float() -> None:
    floats = [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.FloatField)
    ]
    assert not floats, listing(floats)


def test_amounts_are_whole_minor_units_with_a_currency() -> None:
    wrong = []
    for model in our_models():
        for field in model._meta.get_fields():
            if field.name.endswith("_minor") and not isinstance(field, models.BigIntegerField):
                wrong.append(f"{model._meta.label}.{field.name}")
    assert not wrong, listing(wrong)


def test_money_is_never_deleted_with_something_else() -> None:
    cascading = [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        if model._meta.app_label == "payouts"
        and any(f.name == "amount_minor" for f in model._meta.get_fields())
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE
    ]
    assert not cascading, listing(cascading)


def test_instants_days_and_order_are_named_and_declared_the_house_way() -> None:
    wrong = []
    for model in our_models():
        if model._meta.ordering:
            wrong.append(f"{model._meta.label} has Meta.ordering; write order_by(..., 'pk') where it is read")
        for field in model._meta.get_fields():
            is_day = isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)
            if isinstance(field, models.DateTimeField) and not f"_{field.name}".endswith(
                ("_at", "_last_login")
            ):
                wrong.append(f"{model._meta.label}.{field.name} is an instant and should end in _at")
            if is_day and not field.name.endswith("_on"):
                wrong.append(f"{model._meta.label}.{field.name} is a day and should end in _on")
    assert not wrong, listing(wrong)


@pytest.mark.django_db
def test_no_migration_is_missing_and_the_schema_builds_from_nothing() -> None:
    from django.core.management import call_command
    from django.db import connection

    # The test database itself was built by running every migration from an empty file.
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    tables = set(connection.introspection.table_names())
    assert {model._meta.db_table for model in our_models() if model._meta.managed} <= tables


def test_every_app_keeps_its_migrations() -> None:
    apps = {model.__module__.split(".models")[0] for model in our_models()}
    empty = [app for app in apps if not list((ROOT / app.replace(".", "/") / "migrations").glob("0001_*.py"))]
    assert not empty, listing(empty)
