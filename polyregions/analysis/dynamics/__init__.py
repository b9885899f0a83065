"""A network applied again and again: fixed points, cycles, what comes where, and what is never left."""
