"""Speed as ratios: both sides alternated in one process, measured in CPU time."""
