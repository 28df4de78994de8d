"""Registered parts of self-supervised algorithms."""
