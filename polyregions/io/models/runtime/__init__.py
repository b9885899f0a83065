"""Foreign runtimes, run in a child process: what kills it, kills nobody else."""
