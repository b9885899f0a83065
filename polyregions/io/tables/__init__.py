"""Graphs and tables in the formats of other programs: GraphML, GEXF, JSON, CSV, Parquet.

`attributes`, `graph_tables`, `xml_files` and `spreadsheets` are what these share; `parquet_footer` reads what a
Parquet file declares within bounds.
"""
