"""The contact centre API: overviews of the account, of agents and of queues."""

from taps.contact_center.tap import TapContactCenter

__all__ = ["TapContactCenter"]
