"""Registered models that average over several looks at an image."""
