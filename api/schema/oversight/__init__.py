"""The face of the security officers: the access log of the own agency, and its proofs."""
