"""Recording: everything that needs a network in memory."""
