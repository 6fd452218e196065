"""Pay partners: prepare a run, let another person approve it, make the bank's files, and book what the bank says came of it."""

from payouts.pay_runs.approve import AlreadyApproved as AlreadyApproved
from payouts.pay_runs.approve import ChangedSincePrepared as ChangedSincePrepared
from payouts.pay_runs.approve import OwnAccountChange as OwnAccountChange
from payouts.pay_runs.approve import SamePerson as SamePerson
from payouts.pay_runs.approve import approve as approve
from payouts.pay_runs.approve import cancel as cancel
from payouts.pay_runs.book import NotSent as NotSent
from payouts.pay_runs.book import fail as fail
from payouts.pay_runs.book import settle as settle
from payouts.pay_runs.common import NotInState as NotInState
from payouts.pay_runs.export import export as export
from payouts.pay_runs.prepare import BadDate as BadDate
from payouts.pay_runs.prepare import NoAccountToPayFrom as NoAccountToPayFrom
from payouts.pay_runs.prepare import NothingToPay as NothingToPay
from payouts.pay_runs.prepare import prepare as prepare
