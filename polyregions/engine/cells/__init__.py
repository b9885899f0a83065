"""The engine for few inputs: each cell carries all its vertices, and a question is answered by looking at them.

`words` and `state` are what the kernels share; `forms` pulls layers back, `vertices` evaluates them and sharpens a
vertex, `integers` settles signs in small integers, `cut` splits a cell, `leaves` proves a point in it, and `machine`
is the loop. `settle` decides in rationals what is left, `driver` runs it all, `subtree` hands waiting cells over.
"""
