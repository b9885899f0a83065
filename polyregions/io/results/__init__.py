"""Results as files: one module for each kind of result."""
