"""The canonical polyhedral complex: all faces of all regions.

`gather` asks the engine for what vanishes at the vertices of cells, `lattice` finds the faces of single cells and knows
each face again, `listing` collects them, `orient` gives boundaries their signs, and `measure` has volumes.
"""
