"""Pure functions of arrays and tensors: no registry, no files."""
