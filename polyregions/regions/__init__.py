"""Regions: the complete set of them, and what is read off single regions and their facets.

`region_set` is the set and its region, `collect` makes it, `prefixes` are a region's layers and rows one at a time,
`chunks` many at once; `adjacency`, `facets`, `faces`, `volumes`, `ranks`, `maps`, `neurons`, `winners` are views;
`certify` writes the proof down, `audit` checks the geometry.
"""
