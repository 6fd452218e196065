"""What we owe: commission lines, the ledger, months, statements, taxes, pay runs and the accounts money is sent to."""

from payouts.models.accounting import AccountCode
from payouts.models.adjustment import Adjustment
from payouts.models.commission import Commission
from payouts.models.dispute import Dispute, DisputeMessage
from payouts.models.dry_run import DryRun
from payouts.models.fx import FxRate
from payouts.models.ledger import Account, ChainLink, Entry, Transaction
from payouts.models.outlook import TierOutlook
from payouts.models.pause import Pause, PayableDateChange, Reserve
from payouts.models.pay_run import PaymentFile, PaymentFileTaken, PayRun, PayRunCheck, PayRunException
from payouts.models.payment import Payment
from payouts.models.payment_method import PaymentMethod
from payouts.models.period import Period
from payouts.models.postback import Postback, PostbackDelivery
from payouts.models.report import DailyTotal
from payouts.models.result import PaymentResult, ResultFile
from payouts.models.risk import RiskCase, RiskCaseLine, RiskNote, RiskSettings, RiskSignal
from payouts.models.signal import AccountSignal
from payouts.models.statement import NumberSeries, Statement, StatementLine
from payouts.models.tax import Invoice, SelfBillingMandate, TaxForm, TaxProfile, Withholding

__all__ = [
    "Account",
    "AccountCode",
    "AccountSignal",
    "Adjustment",
    "ChainLink",
    "Commission",
    "DailyTotal",
    "Dispute",
    "DisputeMessage",
    "DryRun",
    "Entry",
    "FxRate",
    "Invoice",
    "NumberSeries",
    "Pause",
    "PayRun",
    "PayRunCheck",
    "PayRunException",
    "PayableDateChange",
    "Payment",
    "PaymentFile",
    "PaymentFileTaken",
    "PaymentMethod",
    "PaymentResult",
    "Period",
    "Postback",
    "PostbackDelivery",
    "Reserve",
    "ResultFile",
    "RiskCase",
    "RiskCaseLine",
    "RiskNote",
    "RiskSettings",
    "RiskSignal",
    "SelfBillingMandate",
    "Statement",
    "StatementLine",
    "TaxForm",
    "TaxProfile",
    "TierOutlook",
    "Transaction",
    "Withholding",
]
