"""Operators of PyTorch that ``torch.onnx`` lacks or gets wrong: one function an operator, one file a family."""
