"""The back office's pages about partners: applications to decide, partners and where they stand, and terms."""

from partners.admin import applications as applications
from partners.admin import forms_builder as forms_builder
from partners.admin import memberships as memberships
from partners.admin import partners as partners
from partners.admin import terms as terms
