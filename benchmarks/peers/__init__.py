"""What the taps are measured against. Each module here runs in its own program's environment, not in the project's."""
