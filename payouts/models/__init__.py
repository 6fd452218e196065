"""What we owe: commission lines, the ledger, months, statements, pay runs and the accounts money is sent to."""

from payouts.models.commission import Commission
from payouts.models.dry_run import DryRun
from payouts.models.ledger import Account, Entry, Transaction
from payouts.models.pay_run import PaymentFile, PayRun, PayRunException
from payouts.models.payment import Payment
from payouts.models.payment_method import PaymentMethod
from payouts.models.period import Period
from payouts.models.statement import NumberSeries, Statement, StatementLine

__all__ = [
    "Account",
    "Commission",
    "DryRun",
    "Entry",
    "NumberSeries",
    "PayRun",
    "PayRunException",
    "Payment",
    "PaymentFile",
    "PaymentMethod",
    "Period",
    "Statement",
    "StatementLine",
    "Transaction",
]
