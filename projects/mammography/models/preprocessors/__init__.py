"""From a batch of samples to tensors on the device."""
