"""Perisai: identities of human rights defenders, sealed, opened by need, and accounted for."""
