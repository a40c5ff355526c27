"""Accuracy: what quantization costs, on data held apart, with confidence."""
