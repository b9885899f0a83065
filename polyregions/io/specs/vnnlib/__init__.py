"""VNN-LIB, version 1 and 2.0, in rational arithmetic."""
