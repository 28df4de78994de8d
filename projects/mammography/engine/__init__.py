"""Registered hooks and optimizer wrappers."""
