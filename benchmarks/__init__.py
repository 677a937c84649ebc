"""Measures the taps and their peers on the same local server; `python -m benchmarks` is `./benchmarks/run`."""
