"""Latency: timing with confidence, models side by side."""
