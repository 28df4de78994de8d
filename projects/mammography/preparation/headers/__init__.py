"""What a DICOM header says about a mammogram, and nothing about the patient."""
