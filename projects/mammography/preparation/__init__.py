"""From DICOM files and tables to 16-bit PNG files and annotations."""
