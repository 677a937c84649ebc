"""The parts of the demo; `scripts/demo.py` tells the story with them."""
