"""Input sets and properties from files: `load` picks the reader by a file's suffix."""
