"""The emulator's claims about Microsoft Graph, asked of a real test tenant: `graph-probe --help`."""
