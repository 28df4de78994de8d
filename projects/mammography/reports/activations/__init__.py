"""What recordings of activations say about models and hospitals."""
