"""All violations of a property: the unsafe part of the input sets as polytopes, with its exact share.

`input_sets` cuts the union of the input sets into polytopes, `hunt` looks at parts of them in waves, `look` settles one
or halves it, `workers` say who does, and `shape` knows the vertices on which all of it rests.
"""

from polyregions.analysis.verification.unsafe.found import UnsafePolytope, Violations
from polyregions.analysis.verification.unsafe.run import violations

__all__ = ["UnsafePolytope", "Violations", "violations"]
