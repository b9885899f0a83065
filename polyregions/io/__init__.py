"""Readers and writers, one format a file.

    networks    `load_network`: picks the reader by suffix or by kind of object
    onnx        ONNX graphs (with onnx_tensors, onnx_graph, onnx_operators, onnx_check)
    nnet        the .nnet text format
    npz         weights as arrays, both ways
    torch       `torch.nn.Sequential` objects
    domains     `load_domain`: picks the reader of an input set
    vnnlib      input boxes of VNN-LIB properties
    chain       folds the affine maps between two activations into one layer, exactly
    files       reading untrusted files within bounds
"""
