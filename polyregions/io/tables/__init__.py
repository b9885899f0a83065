"""Tables and graphs in the formats of other programs."""
