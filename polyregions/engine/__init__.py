"""Engines: what splits the domain into regions. `tree` is the definition; `enumerate` is what users call."""
