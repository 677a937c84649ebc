"""The on-call API: alerts and incidents, who is paged for them and how."""
