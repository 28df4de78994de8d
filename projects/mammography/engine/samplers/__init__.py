"""Registered samplers, and how they group images."""
