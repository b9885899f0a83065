"""Certificates: a count with its proofs, and the checker that needs nothing else."""
