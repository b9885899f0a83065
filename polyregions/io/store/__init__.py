"""A folder that regions are streamed to: a manifest, Parquet shards, and the tasks of an unfinished run."""
