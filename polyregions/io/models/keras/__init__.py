"""Keras networks."""
