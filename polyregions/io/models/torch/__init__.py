"""torch modules, exported by torch and translated into the vocabulary of ONNX."""
