"""Pages for people of the agencies: sign in by browser, see who one is, ask by GraphiQL."""
