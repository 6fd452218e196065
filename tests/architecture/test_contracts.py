"""Who may import whom. The contracts stand in pyproject.toml; here they are kept, and seen to bite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.house import PACKAGES, ROOT, listing, short, sources, tree


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).parent / "lint-imports"
    env = {**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"}
    return subprocess.run(
        [tool, "--no-cache"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def test_every_import_runs_upstream() -> None:
    outcome = lint_imports(ROOT)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("tiers/uphill.py", "import payouts.apps", "The river"),
        ("tiers/uphill.py", "def later():\n    from partners import apps", "The river"),
        ("prm/lib/money.py", "import django.db", "are pure"),
        ("payouts/edge.py", "import payouts.tasks", "Nobody calls an edge"),
    ],
)
def test_a_contract_bites_when_it_is_broken(file: str, line: str, contract: str, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "payouts" / "tasks.py").touch()
    with (tmp_path / file).open("a") as changed:
        changed.write(f"\n{line}\n")
    outcome = lint_imports(tmp_path)
    broken = [row for row in outcome.stdout.splitlines() if row.rstrip().endswith("BROKEN")]
    assert outcome.returncode == 1
    assert len(broken) == 1
    assert contract in broken[0]


def test_prm_itself_stays_empty_so_that_the_engine_is_pure() -> None:
    assert (ROOT / "prm" / "__init__.py").read_text() == ""


def test_every_module_says_what_it_decides() -> None:
    import ast

    silent = [
        short(path)
        for path in sources()
        if path.read_text(encoding="utf-8").strip() and ast.get_docstring(tree(path)) is None
    ]
    assert not silent, listing(silent)


def test_no_file_outgrows_a_reader() -> None:
    long = {short(path): lines for path in sources() if (lines := len(path.read_text().splitlines())) > 400}
    assert not long, listing(long, "split at the next verb")
