"""The six ways to count linear regions: `definitions` says what they are, `count` counts.

`residues` finds which regions have exactly the same map (R6), `joined` joins them across facets (R4) and asks
whether the pieces are convex (R3), `touching` joins them wherever they touch (R5), `thin` finds the patterns that
only sets without an interior have (R1), which `lower_dimensional` lists.
"""
