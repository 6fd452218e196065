"""The back office's pages about partners: applications to decide, partners and where they stand, and terms."""

from partners.admin import amendments as amendments
from partners.admin import applications as applications
from partners.admin import blocked as blocked
from partners.admin import business_plans as business_plans
from partners.admin import clause_questions as clause_questions
from partners.admin import counters as counters
from partners.admin import eligibility as eligibility
from partners.admin import engagement as engagement
from partners.admin import enter as enter
from partners.admin import figures as figures
from partners.admin import forms_builder as forms_builder
from partners.admin import funnel as funnel
from partners.admin import introductions as introductions
from partners.admin import invitations as invitations
from partners.admin import launching as launching
from partners.admin import memberships as memberships
from partners.admin import onboarding as onboarding
from partners.admin import partners as partners
from partners.admin import program_pages as program_pages
from partners.admin import prospects as prospects
from partners.admin import recruiting_links as recruiting_links
from partners.admin import resources as resources
from partners.admin import terms as terms
from partners.admin import workload as workload
