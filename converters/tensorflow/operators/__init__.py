"""Handlers of TensorFlow's operators, one file a family."""
