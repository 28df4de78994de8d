"""Registered schedules of learning rates."""
