"""The control surface for tests: every command under `/_emulator`, faults on demand, the request log, seeding."""
