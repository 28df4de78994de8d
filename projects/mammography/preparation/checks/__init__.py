"""Whether a prepared source is whole and consistent."""
