"""Foreign runtimes: `run` asks them for values, `process` starts the `child` in which they run."""
