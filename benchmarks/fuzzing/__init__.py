"""Damaged and malicious files for every reader: ``python -m benchmarks.fuzzing --help``."""
