"""Local servers that follow the five API contracts, with made-up data and faults on demand."""
