"""Where the dashboards are written; the JSON in ../dashboards is made from it."""
