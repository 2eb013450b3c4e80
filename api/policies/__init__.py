"""May they? Facts in, verdicts with a ground or a reason out; the gate alone makes a Permit."""
