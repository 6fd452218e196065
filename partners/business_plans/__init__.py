"""Business plans: what a partner and the house want to reach together in a period, agreed goal by goal and looked at on agreed days. Targets
that were agreed are never written over, and both sides read the same figures."""
