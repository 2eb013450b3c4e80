"""Rows in, rows out: tables, wrap-only sealed columns and the queries of each slice."""
