"""From arrays to matplotlib figures; no files, no global state of matplotlib."""
