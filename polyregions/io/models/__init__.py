"""Networks from files and from other libraries, and the same network run by its own runtime."""
