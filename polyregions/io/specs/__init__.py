"""Input sets and properties from files."""
