"""Registered transforms of 16-bit mammograms, one per file."""
