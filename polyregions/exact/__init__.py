"""Exact arithmetic: integer matrices over one denominator, and linear programs that always decide."""
