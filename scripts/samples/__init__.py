"""What `scripts/check_samples.py` is made of."""
