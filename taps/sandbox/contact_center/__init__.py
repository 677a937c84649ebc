"""The contact centre API: its paths, its made-up data and its answers."""
