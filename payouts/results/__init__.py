"""What the bank says came of payments: read a file, hold it against what was sent, book it, and show that nothing is missing."""

from payouts.results.booking import Look as Look
from payouts.results.booking import import_file as import_file
from payouts.results.booking import look as look
from payouts.results.facts import Mismatch as Mismatch
from payouts.results.facts import NotRead as NotRead
from payouts.results.facts import WrongRows as WrongRows
