"""Accelerators, links and prices: silicon that knows no language model."""
