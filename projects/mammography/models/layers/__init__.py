"""Registered layers: only what MMCV lacks."""
