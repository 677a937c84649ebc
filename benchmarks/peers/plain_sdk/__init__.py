"""A tap as one writes it with the Singer SDK alone, to measure against."""
