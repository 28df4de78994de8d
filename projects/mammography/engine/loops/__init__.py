"""Registered loops."""
