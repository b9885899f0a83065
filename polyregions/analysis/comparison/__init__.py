"""Two networks on one input set: how far apart they are, and where they decide differently."""
