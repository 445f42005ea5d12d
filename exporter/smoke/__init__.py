"""The smoke test: a test alert through a running Alertmanager, and whether each of its messages goes out."""
