"""What the app and the browser send: events, requests, beacons, deploys. All files in this folder are loaded."""

from importlib import import_module
from pkgutil import iter_modules

for _found in iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
