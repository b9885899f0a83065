"""All that numba compiles for the engine, and for what looks at its regions.

`codes` are the numbers that kernels and Python say things with, `state` is the data the kernels share, `compose` pulls
layers back, `boxes` encloses cells, `simplex` walks from vertex to vertex, `does_it_cut` asks whether a hyperplane cuts
a cell, `cells` splits cells and proves leaves, `last_layer` counts leaves without going to them, by means of `flats`,
`machine` is the loop. `facets` looks across the facets of finished regions, `point_in_rows` climbs to an interior
point.
"""
