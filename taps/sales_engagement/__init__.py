"""The sales engagement API: accounts, prospects, sequences, mailings, calls, tasks and what belongs to them."""

from taps.sales_engagement.tap import TapSalesEngagement

__all__ = ["TapSalesEngagement"]
