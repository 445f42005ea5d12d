"""Side-by-side measurements against peers and against the floor: `python -m bench` runs them all."""
