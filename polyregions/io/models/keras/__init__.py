"""Keras models, translated layer by layer into the vocabulary of ONNX."""
