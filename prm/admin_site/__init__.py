"""The back office as a whole: its front page, its navigation and the way in."""
