"""How often intervals hold the truth, over simulated studies whose truth is known."""
