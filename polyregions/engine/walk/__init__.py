"""The compiled engine: the same split tree as `engine.tree`, walked by small numba kernels.

`state` is the data the kernels share, `compose` pulls layers back, `boxes` encloses cells, `simplex` walks from
vertex to vertex, `question` asks whether a hyperplane cuts a cell, `cells` splits cells and proves leaves,
`last_layer` counts leaves without going to them, by means of `flats`, `machine` is the loop. On the Python side
`pieces` prepares a domain for the kernels, `settle` decides exactly what they hand back, and `driver` runs the whole.
"""
