"""Registered classifiers."""
