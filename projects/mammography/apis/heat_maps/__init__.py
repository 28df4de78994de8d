"""Heat maps of whole images by a patch network."""
