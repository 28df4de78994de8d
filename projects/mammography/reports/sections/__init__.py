"""The chapters of a page: each module turns a run into one section."""
