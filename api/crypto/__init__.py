"""Bytes only: sealing, data keys, key services, MACs and signatures. FORMAT.md has every byte."""
