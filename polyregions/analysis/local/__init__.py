"""Around a point, nothing else being enumerated: its region, the regions within some facets, those that meet a ball."""
