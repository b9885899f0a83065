"""Regions: the complete set of them, and what is read off single regions and their facets."""
