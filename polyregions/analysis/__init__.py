"""Questions asked of regions: decisions, counts, queries, verification, rewriting, reports, training."""
