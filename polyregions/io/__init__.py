"""Readers and writers, one format a file.

* models: networks from files and objects; specs: input sets and properties
* save: `save`, `load_regions`, `load_graph` and `load_certificate`; results: one module for each kind of result
* tables: graphs and tables in the formats of other programs
* store: a result in a folder, written while it is found
* files: reading untrusted files within bounds; npz: the same for archives of arrays
"""
