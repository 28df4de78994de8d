"""Tables and folders of the sources, as rows that are understood."""
