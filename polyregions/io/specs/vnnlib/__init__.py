"""VNN-LIB, version 1 and 2.0, in rational arithmetic: `reader` is the one reader, `boxes` and `property` its two views.

`s_expressions` is the syntax, `variables` what is declared, `formulas` what is asserted, `sets` the input sets.
"""
