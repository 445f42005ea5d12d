"""What the measurements start as processes of their own; each prints JSON, one object a line."""
