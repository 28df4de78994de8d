"""Registered optimizer wrappers."""
