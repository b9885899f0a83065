"""The Python side of the compiled engine: the same split tree as `engine.tree`, walked by the kernels.

`charts` prepares a domain for the kernels, `driver` runs them over it, `settle` decides exactly what they hand back,
and `subtree` takes waiting cells to another thread or machine.
"""
