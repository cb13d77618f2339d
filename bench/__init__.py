"""Benchmarks: ``make bench`` measures all, and writes a table of ratios."""
