"""The dashboards, one file each: what is in this folder is on the screen."""
