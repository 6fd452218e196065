"""What the architecture tests know about the repository: its apps in the order of the river, its models, its files."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db.models import Model

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("prm", "tiers", "partners", "referrals", "payouts", "portal", "demo", "bench")
# A lower number lies further upstream. Apps of one number may know each other.
RIVER = {
    **dict.fromkeys(("contenttypes", "auth", "sessions"), 0),
    **dict.fromkeys(("prm", "accounts", "audit", "mail", "runs"), 1),
    "tiers": 2,
    "partners": 3,
    "referrals": 4,
    "payouts": 5,
    "portal": 6,
}
OUR_APPS = ("prm", "accounts", "audit", "mail", "runs", "tiers", "partners", "referrals", "payouts", "portal")


def our_models() -> list[type[Model]]:
    """Return every model this repository defines."""
    return [model for model in apps.get_models() if model._meta.app_label in OUR_APPS]


def sources(*, with_migrations: bool = False) -> Iterator[Path]:
    """Yield every Python file of the product."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if with_migrations or "migrations" not in path.parts:
                yield path


def files_of_tests() -> Iterator[Path]:
    """Yield every Python file under tests/ except these rules themselves."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if "architecture" not in path.parts:
            yield path


def templates() -> list[Path]:
    """Return every template of ours."""
    return sorted(p for p in (ROOT / "templates").rglob("*") if p.is_file())


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def short(path: Path) -> str:
    """Return a path as people name it."""
    return str(path.relative_to(ROOT))


def listing(found: Iterable[object] | Mapping[str, object], advice: str = "") -> str:
    """Return every finding on a line of its own: pytest would shorten a long list."""
    rows = (
        [f"{key}: {value}" for key, value in found.items()] if isinstance(found, Mapping) else map(str, found)
    )
    return "\n  ".join([advice, *rows])
