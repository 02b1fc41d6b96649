"""Figures of speed and size, printed by `python -m benchmarks`."""
