"""What the preparation would make of files, without preparing them."""
