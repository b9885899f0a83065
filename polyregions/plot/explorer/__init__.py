"""The explorer: a set of regions as one web page that needs nothing else."""
