"""From the bytes of a file to its stored values, whatever their coding."""
