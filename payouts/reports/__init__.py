"""Daily figures: counted from what happened, kept beside it, and read by every report. A kept figure equals the counted one."""
