"""Networks from files and from other libraries, and the same network run by its own runtime.

* load: `load_network`, which picks the reader by a file's suffix or by the kind of object
* onnx, torch, keras, nnet, npz, sklearn: one kind of source each (npz also writes)
* comparison, final_functions: an imported network compared with its source on random points; runtime: who runs it
"""
