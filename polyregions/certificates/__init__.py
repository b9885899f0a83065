"""Certificates: a list of regions with the proofs that it is complete.

`certificate` is the data, `checker` believes nothing and needs neither engine nor solver, `check` is what users call,
`input_sets` says whether two input sets are the same.
"""
