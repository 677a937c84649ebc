"""The on-call API: alerts and their history, incidents, people, teams, services and integrations."""

from taps.oncall.tap import TapOncall

__all__ = ["TapOncall"]
