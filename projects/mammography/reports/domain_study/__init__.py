"""From the predictions of a domain study to its table, its tests and its page."""
