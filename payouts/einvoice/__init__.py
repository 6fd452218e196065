"""Invoices for machines: the message of EN 16931 in both syntaxes, and the printed invoice that carries it."""
