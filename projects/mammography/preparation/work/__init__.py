"""Work on many items: in processes, on a cluster, in shards; each may die."""
