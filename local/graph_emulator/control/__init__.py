"""What tests do to the service: every call under `/_emulator`, faults on demand, the request log, seeding."""
