"""The back office's pages about money. Every table is only read; money is moved by pages that say what will happen and make one call."""

from payouts.admin import account_codes as account_codes
from payouts.admin import account_signals as account_signals
from payouts.admin import accrual_pack as accrual_pack
from payouts.admin import adjustments as adjustments
from payouts.admin import commissions as commissions
from payouts.admin import disputes as disputes
from payouts.admin import dry_runs as dry_runs
from payouts.admin import fx as fx
from payouts.admin import holds_panel as holds_panel
from payouts.admin import invoices as invoices
from payouts.admin import ledger as ledger
from payouts.admin import merge_panel as merge_panel
from payouts.admin import methods as methods
from payouts.admin import months as months
from payouts.admin import panels as panels
from payouts.admin import pauses as pauses
from payouts.admin import pay_runs as pay_runs
from payouts.admin import payments as payments
from payouts.admin import reserves as reserves
from payouts.admin import results as results
from payouts.admin import simulator as simulator
from payouts.admin import statements as statements
from payouts.admin import tax as tax
from payouts.admin import tax_documents as tax_documents
from payouts.admin import tax_panel as tax_panel
from payouts.admin import yearly as yearly
