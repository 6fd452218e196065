"""Habits of the code that a reader may rely on. Each failure names the place and what to do about it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from prm.celery import app as celery
from tests.architecture.house import PACKAGES, ROOT, files_of_tests, listing, short, sources, tree

NEAR_MONEY = ("tiers", "referrals", "payouts")
# Drawing is allowed to divide: these figures become pixels, never amounts.
DRAWS = {"portal/charts.py"}


def is_near_money(path: Path) -> bool:
    name = short(path)
    return name.startswith(tuple(f"{app}/" for app in NEAR_MONEY)) or name in {
        "prm/lib/money.py",
        "prm/lib/l10n.py",
    }


def waits(path: Path, node: ast.Constant) -> bool:
    """Tell whether a number is a time to wait, said so in its line."""
    line = path.read_text(encoding="utf-8").splitlines()[node.lineno - 1].lower()
    return "second" in line or "sleep(" in line


def test_no_float_near_money() -> None:
    found = []
    for path in filter(is_near_money, sources()):
        for node in ast.walk(tree(path)):
            is_literal = (
                isinstance(node, ast.Constant) and isinstance(node.value, float) and not waits(path, node)
            )
            is_call = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            )
            if is_literal or is_call:
                found.append(f"{short(path)}:{node.lineno}")
    assert not found, listing(found, "use int minor units and Decimal")


def test_nobody_divides_minor_units() -> None:
    found = []
    for path in sources():
        if short(path) in DRAWS:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                sides = ast.unparse(node.left), ast.unparse(node.right)
                if any(
                    "minor" in side and "Decimal" not in side and "Fraction" not in side for side in sides
                ):
                    found.append(f"{short(path)}:{node.lineno}: {ast.unparse(node)}")
    assert not found, listing(found, "use Money.portion, Money.allocate or Money.decimal")


def test_only_edges_read_the_clock() -> None:
    edges = (
        "views",
        "admin",
        "tasks",
        "management",
        "api",
        "command",
        "celery",
        "heartbeat",
        "health",
        "wsgi",
    )
    found = []
    for path in sources():
        if any(edge in part for part in path.with_suffix("").parts[-4:] for edge in edges):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "timezone.now",
                "datetime.now",
                "date.today",
            }:
                found.append(f"{short(path)}:{node.lineno}")
    assert [place for place in found if not place.startswith(CLOCK_READERS)] == [], (
        "take `at: datetime` instead"
    )


# Modules that are entered straight from a framework, with nobody above them who could say what time it is.
CLOCK_READERS = (
    "bench/",
    "prm/accounts/",
    "prm/audit/",
    "prm/mail/",
    "prm/runs/",
    "prm/lib/ids.py",
    "prm/logs.py",
    "portal/",
)


def our_tasks() -> dict[str, object]:
    celery.loader.import_default_modules()
    return {
        name: task for name, task in celery.tasks.items() if type(task).__module__.split(".")[0] in PACKAGES
    }


def test_every_task_has_a_house_name_and_keyword_only_arguments() -> None:
    wrong = []
    for name, task in our_tasks().items():
        app = type(task).__module__.removeprefix("prm.").split(".")[0]
        parameters = inspect.signature(task.run).parameters.values()  # type: ignore[attr-defined]
        kinds = {p.kind for p in parameters if p.name != "self"}
        if name.split(".")[0] not in {app, "prm"} or name.count(".") != 1:
            wrong.append(f"{name}: name it {app}.<verb>")
        if kinds - {inspect.Parameter.KEYWORD_ONLY}:
            wrong.append(f"{name}: make its arguments keyword-only")
    assert not wrong, listing(wrong)


def test_the_calendar_rings_only_tasks_that_exist() -> None:
    rung = {entry["task"] for entry in celery.conf.beat_schedule.values()}
    assert rung <= set(our_tasks())


def test_only_the_ledger_module_writes_entries() -> None:
    found = []
    for path in sources():
        if short(path) == "payouts/ledger.py":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "Entry",
                "Entry.objects.create",
                "Entry.objects.bulk_create",
                "Entry.objects.get_or_create",
                "Entry.objects.update_or_create",
            }:
                found.append(f"{short(path)}:{node.lineno}")
    assert not found, listing(found, "call payouts.ledger.post")


# Helpers that assert: named for what they expect, so that the reader sees it too.
PROVING = ("assert", "_assert", "django_assert", "expect", "check", "refuse")


def proves_something(test: ast.AST) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).split(".")[-1]
            if name in {"raises", "fail", "warns"} or name.startswith(PROVING):
                return True
    return False


def test_every_test_proves_something() -> None:
    idle = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in [*files_of_tests(), *sorted((ROOT / "tests" / "architecture").glob("test_*.py"))]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not proves_something(node)
    ]
    assert not idle, listing(idle, "assert what must hold")


@pytest.mark.parametrize("idle", ["def test_a(): pass", "def test_a(): call()"])
def test_the_rule_about_tests_bites(idle: str) -> None:
    assert not proves_something(ast.parse(idle))


def test_lock_files_carry_hashes_and_no_address() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        text = lock.read_text()
        assert "://" not in text, lock.name
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
        assert pinned
        assert text.count("--hash=sha256:") >= len(pinned)
