"""Benchmarks of vecevo: `python -m bench NAME ...` measures and writes records."""
