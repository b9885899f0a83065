"""Engines: what splits the domain into regions. `tree` is the definition; `tally` runs it."""
