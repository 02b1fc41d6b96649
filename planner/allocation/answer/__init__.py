"""From a point of the program to a plan: who holds what, in which words, and why not."""
