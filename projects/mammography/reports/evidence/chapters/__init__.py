"""The parts of the evidence: each computes, shows and describes its own numbers."""
