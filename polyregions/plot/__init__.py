"""Pictures of partitions; `picture` needs matplotlib (the extra ``plot``)."""
