"""Which parts of an image a score hangs on, in the image and in the DICOM it came from."""
