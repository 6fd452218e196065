"""Statements: issue a membership's month, correct one that was wrong, and tell which statements are one and the same month.
What was issued never changes; a correction is a credit note and a new number."""

from payouts.statement_families import family as family
from payouts.statement_families import move as move
from payouts.statement_families import standing as standing
from payouts.statements.correcting import AlreadyCorrected as AlreadyCorrected
from payouts.statements.correcting import NoReason as NoReason
from payouts.statements.correcting import NotAStatement as NotAStatement
from payouts.statements.correcting import ReasonTooLong as ReasonTooLong
from payouts.statements.correcting import correct as correct
from payouts.statements.issuing import DisagreesWithLedger as DisagreesWithLedger
from payouts.statements.issuing import is_payable as is_payable
from payouts.statements.issuing import issue as issue
from payouts.statements.issuing import payment_date as payment_date
