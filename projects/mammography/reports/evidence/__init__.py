"""From dumps of predictions to the evidence of a diagnostic study on one page."""
