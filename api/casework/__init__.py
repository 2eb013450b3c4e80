"""What people do: every door leads through here, and every opening through `disclosure`."""
