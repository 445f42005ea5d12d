"""The doctor: asks every server of a running stack, and says in plain words what is wrong and what to do."""
