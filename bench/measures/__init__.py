"""The measurements, one question each; every module has a `measure`."""
