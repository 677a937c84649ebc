"""The help desk API: agents, contacts, tickets and their conversations, forums, solutions and settings."""
