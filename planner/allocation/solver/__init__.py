"""Solvers asked, watched and judged, each in a process of its own."""
