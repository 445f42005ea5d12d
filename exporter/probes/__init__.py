"""Probes, one file per kind. Every module of this folder is loaded, so that adding a kind is adding a file."""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
