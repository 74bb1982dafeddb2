"""The command line `xtsync`. A command is one small file: `add_parser` says what it takes, `run` is its one call.

Nothing is decided here: commands read the stored state, nominate, and show what the engine decided. Personal data is
printed only where somebody asked for it (`--show-values`), secrets never.
"""
