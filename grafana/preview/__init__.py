"""Pictures of the dashboards, drawn from their JSON with Grafana's own components; no Grafana runs."""
