"""Who brought a conversion: the rule is pure (`rule`), reading its candidates from the database is apart from it (`apply`)."""
