"""Networks: layers, activations, patterns, and the affine maps that they compose to.

`network` is the data, `problem` a network on a domain, `pullback` and `folding` compose layers in floats and
exactly, `zonotope` and `certain_patterns` say what is sure without enumeration, `graph` lowers networks with
branches and maxima to layers.
"""
