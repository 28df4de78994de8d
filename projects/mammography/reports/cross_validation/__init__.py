"""The numbers of a cross-validation: per fold and over all patients, with intervals."""
