"""The face of the agencies: what their frontends query and change for a caseworker."""
