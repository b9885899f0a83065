"""The canonical polyhedral complex: all faces of all regions.

`lattice` finds the faces of single cells and knows each face again, `gather` asks the engine for what vanishes at the
vertices of cells, `orient` gives boundaries their signs, and `face_complex` is what users hold.
"""
