"""Patches of prepared images, on lesions and beside them, for a patch classifier."""
