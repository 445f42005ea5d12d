"""Business metrics: SQL files over logical tables, become gauges, counters and histograms."""
