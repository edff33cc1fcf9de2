"""Building blocks that more than one architecture uses, one concept a file."""
