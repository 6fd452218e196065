"""The back office's pages for programs, tiers, plans and their rules. A published version is only ever read; a new idea is a new draft."""

from tiers.admin import plans as plans
from tiers.admin import programs as programs
from tiers.admin import schemes as schemes
from tiers.admin import tier_gives as tier_gives
from tiers.admin import tiers as tiers
from tiers.admin import versions as versions
