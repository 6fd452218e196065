"""Write text into cells of a table that people open in a spreadsheet. No cell is ever taken for a formula, whoever wrote the text."""

# What begins a formula in some spreadsheet; the wide forms are typed in East Asia and count as well.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def formula_safe(text: str) -> str:
    """Return a text no spreadsheet takes for a formula: one that begins like one gets an apostrophe in front."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
