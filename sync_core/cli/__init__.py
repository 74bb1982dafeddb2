"""The command line `xtsync`. A command is one small file: `add_parser` says what it takes, `run` is its one call.

Nothing is decided here: a command parses its arguments, makes one call to ops, and shows the document that comes back.
Personal data is printed only on request (`--show-values`), secrets never.
"""
