"""ONNX files: `read` puts it together.

`check`, `node`, `order`, `outputs`, `tensors`, `external`, `versions` take a file apart within bounds; `operators` is
the table of what is understood, each operator in one of `arithmetic`, `linear`, `conv`, `pool`, `rearrange`,
`resize`, `scatter`, `einsum`, `units`, `ml`, `functions`; `vocabulary` offers them to readers of other sources.
"""
