"""How any API is read; nothing in here knows one by name."""
