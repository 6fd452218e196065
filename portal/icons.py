"""The shapes drawn beside words, as SVG path data on a 20 by 20 grid. An icon never stands alone: it is hidden from screen readers
and a word says the same."""

from __future__ import annotations

CIRCLE = "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z"

ICONS: dict[str, str] = {
    "alert": f"{CIRCLE}M10 6v5M10 13.8v.2",
    "arrow": f"{CIRCLE}M6.5 10h7M10.5 7l3 3-3 3",
    "bank": "M3 8l7-4.5L17 8zM5 8v6.5M8.3 8v6.5M11.7 8v6.5M15 8v6.5M3 16.5h14",
    "briefcase": "M3 7h14v9.5H3zM7.5 7V4.5h5V7M3 11h14",
    "chart": "M4 17v-5M8 17V4M12 17V9M16 17v-6",
    "check": "M4.5 10.5l3.5 3.5 7.5-8",
    "clock": f"{CIRCLE}M10 6v4.2l2.8 1.8",
    "cross": f"{CIRCLE}M7.4 7.4l5.2 5.2M12.6 7.4l-5.2 5.2",
    "document": "M5 2.5h7.5L16 6v11.5H5zM12.5 2.5V6H16M7.8 9.5h5.4M7.8 13h5.4",
    "download": "M10 3v9.5M6.3 9l3.7 3.7L13.7 9M4 16.5h12",
    "empty": "M3 11.5l2.5-7h9l2.5 7v5H3zM3 11.5h4l1 2h4l1-2h4",
    "home": "M3 9.5l7-6 7 6M5 8v8.5h3.5v-5h3v5H15V8",
    "info": f"{CIRCLE}M10 9v5M10 6v.2",
    "link": "M8.3 11.7a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-1 1M11.7 8.3a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l1-1",
    "missing": "M5 5l10 10M15 5L5 15",
    "page": f"{CIRCLE}M6.8 7.6h6.4M6.8 10h6.4M6.8 12.4h4",
    "pause": f"{CIRCLE}M8 7v6M12 7v6",
    "people": "M7.5 9.5a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM2.5 16.5c0-3 2-4.8 5-4.8s5 1.8 5 4.8M13 4.2a2.8 2.8 0 0 1 0 5M14.5 12c2 .6 3 2.2 3 4.5",
    "person": "M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 16.5c0-3.2 2.4-5 6-5s6 1.8 6 5",
    "plus": "M10 4v12M4 10h12",
    "report": "M3 3.5v13h14M6 12.5l3.3-3.6 2.6 2.4L16.5 6",
    "return": f"{CIRCLE}M8.8 6.3L6.5 8.6l2.3 2.3M6.5 8.6h4.4a2.3 2.3 0 0 1 0 4.6H8",
    "search": "M8.8 3.5a5.3 5.3 0 1 0 0 10.6 5.3 5.3 0 0 0 0-10.6zM12.7 12.7l4 4",
    "tick": f"{CIRCLE}M6.6 10.2l2.4 2.4 4.6-4.8",
}
