"""What the operator's listener serves: metrics, health, the status page."""
