"""Polyhedra as users see them: H-representation, facets, vertices, volume, affine hull."""
