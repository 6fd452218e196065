"""Make `static/prm.min.js` from `static/prm.js`: whole-line comments, blank lines and indentation go, and nothing else changes, so that what
shops load can be compared with what is read here. Run `python tools/minify_js.py` after a change."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).resolve().parents[1] / "static"
SOURCE, TARGET = STATIC / "prm.js", STATIC / "prm.min.js"


def minified(source: str) -> str:
    """Return a script without whole-line comments, blank lines and indentation; a line stays a line, so no statement changes its end."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


if __name__ == "__main__":
    TARGET.write_text(minified(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
