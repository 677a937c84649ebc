"""The help desk API: its paths, its made-up data and its answers."""
