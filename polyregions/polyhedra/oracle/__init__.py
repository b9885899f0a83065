"""Does an open polyhedron have a point? The one question everything else is made of.

`proof` decides from floats when a claim is certain, `highs` proposes claims, `rational` decides
what is left, and `referee` asks them in that order.
"""
