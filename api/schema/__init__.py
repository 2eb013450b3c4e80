"""The GraphQL faces: one schema an audience, and what stands in front of them."""
