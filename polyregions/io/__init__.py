"""Readers and writers, one format a file.

Networks in:

* networks: `load_network`, which picks the reader by a file's suffix or by the kind of object
* onnx, nnet, npz, torch, keras, sklearn: one kind of source each (npz also writes)
* onnx_graph, onnx_tensors, onnx_call, onnx_operators, onnx_linear, onnx_rearrange, onnx_conv,
  onnx_check: the parts of the ONNX reader
* chain: folds the affine maps between two activations into one layer, exactly
* standard: the ONNX operators for readers of other sources; torch_graph, torch_operators, torch_windows,
  torch_use, keras_graph, keras_layers: what is translated into them
* comparison, final_functions: compare an imported network with its source on random points

Input sets in:

* domains: `load_domain`, which picks the reader by a file's suffix
* vnnlib, vnnlib_property: the two views of a VNN-LIB file, as input sets and as a property
* vnnlib_reader, vnnlib_variables, vnnlib_formulas, vnnlib_sets: the one reader of both

Results out and in again:

* results: `save`, `load_regions`, `load_graph` and `load_certificate`
* region_files, cell_files, boundary_files, certificate_files: one kind of result each
* graphml, gexf, graph_files (JSON), csv_files, parquet: graphs and tables, one format each
* graph_attributes, graph_tables, xml_files: what these share

files: reading untrusted files within bounds; parquet_footer: the same for what a Parquet file declares
"""
