"""The demo: invented records and a built-in issuer. Nothing in here serves real people."""
