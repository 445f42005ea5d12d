"""The demo: a toy Chatterfy on this machine, alive and breakable, with the exporter watching it."""
