"""Commands for operators: thin calls into casework, crypto and the access log."""
