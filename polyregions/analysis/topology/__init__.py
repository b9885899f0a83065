"""Topology: the complex of all faces, its parts, their homology, and what filtrations by an output make of them.

`face_complex` is the data, `sides` says what parts are cut by, `homology` and `reduction` count holes, `persistence`
follows them through the levels of an output, `critical` finds the points where they come and go.
"""
