"""The commands, a file each, named as the command is: what it takes and promises, and what it does where that is short.

A file has the `command` that click knows. It is imported when it is asked for: `health`, which containers run every
minute, costs a third of what it would with everything that the other commands need.
"""
