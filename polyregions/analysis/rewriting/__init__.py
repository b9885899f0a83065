"""Networks and trees rewritten from regions."""
