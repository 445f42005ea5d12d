"""Configuration files: YAML with positions, typed models, and errors that say where and what instead."""
