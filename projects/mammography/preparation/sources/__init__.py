"""One converter per data source: its tables to image records."""
