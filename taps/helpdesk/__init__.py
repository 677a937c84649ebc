"""The help desk API: agents, contacts, tickets and their conversations, forums, solutions and settings."""

from taps.helpdesk.tap import TapHelpdesk

__all__ = ["TapHelpdesk"]
