"""Registered samplers."""
