"""Measurements side by side, run by `make bench`; never part of the test run."""
