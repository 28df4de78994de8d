"""What travels between floors: plain records and the files that hold them."""
