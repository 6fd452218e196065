"""The countries people choose from: the same in the rooms of partners as in application forms."""

from prm.lib.country_names import choices as choices
from prm.lib.country_names import name as name
