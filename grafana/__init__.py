"""What Grafana shows: dashboards, how they are written, and how they are drawn without a Grafana."""
