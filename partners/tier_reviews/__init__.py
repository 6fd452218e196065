"""Reviews of tiers as due process: rounds by the calendar, cases with their evidence, notice, grace, appeal and decision."""
