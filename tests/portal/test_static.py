"""What every browser loads: small, our own, licensed, and readable in light and dark."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "static" / "prm"
FONTS = STATIC / "fonts"


def tokens() -> dict[str, tuple[str, str]]:
    found = re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", (STATIC / "shared.css").read_text()
    )
    return {name: (light, dark) for name, light, dark in found}


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    # WCAG 2.2, relative luminance.
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


TEXT = [
    *((ink, ground) for ink in ("ink", "ink-2", "brand-text") for ground in ("bg", "surface", "sunken")),
    ("ink-3", "surface"),
    ("brand-ink", "brand"),
    *((tone, f"{tone}-bg") for tone in ("ok", "info", "warn", "bad")),
    *((tone, "surface") for tone in ("ok", "info", "warn", "bad")),
    ("ink-2", "mute-bg"),
    ("surface", "ink"),
]
SHAPES = [("line-strong", "surface"), ("line-strong", "bg")]
SHAPES += [(f"c-{stage}", "surface") for stage in ("review", "hold", "ready", "sent", "paid")]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_reaches_the_contrast_of_level_aa(ink: str, ground: str, theme: int) -> None:
    colours = tokens()
    assert contrast(colours[ink][theme], colours[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_borders_of_controls_and_columns_reach_three_to_one(shape: str, ground: str, theme: int) -> None:
    colours = tokens()
    assert contrast(colours[shape][theme], colours[ground][theme]) >= 3


def test_the_contrast_formula_gives_the_known_ends() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21.0
    assert contrast("#777777", "#777777") == 1.0


def test_every_font_is_listed_with_its_licence_and_unchanged() -> None:
    listed = {entry["file"]: entry for entry in json.loads((FONTS / "manifest.json").read_text())["fonts"]}
    assert set(listed) == {path.name for path in FONTS.glob("*.woff2")}
    for name, entry in listed.items():
        assert hashlib.sha256((FONTS / name).read_bytes()).hexdigest() == entry["sha256"]
        assert "SIL OPEN FONT LICENSE" in (FONTS / entry["licence_file"]).read_text()


def test_styles_load_nothing_from_elsewhere_and_only_files_that_exist() -> None:
    for sheet in STATIC.glob("*.css"):
        text = sheet.read_text()
        assert "@import" not in text
        for address in re.findall(r"url\(\"?([^)\"]+)\"?\)", text):
            assert (sheet.parent / address).is_file(), address


def test_the_script_is_short_and_evaluates_nothing() -> None:
    script = (STATIC / "prm.js").read_text()
    assert len(script.splitlines()) <= 100
    assert not re.search(r"\beval\b|new Function|setTimeout\(\s*[\"']|\.style\b|document\.write", script)


def test_styles_and_script_stay_small_on_the_wire() -> None:
    sizes = {
        name: len(gzip.compress((STATIC / name).read_bytes())) for name in ("shared.css", "prm.css", "prm.js")
    }
    assert sum(sizes.values()) < 12_000, sizes
