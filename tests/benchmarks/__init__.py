"""Benchmarks: programs that measure and print; no asserts on times. `make bench` runs them all in one run."""
