"""From dumps and logs to tables, plots and pages; no torch."""
