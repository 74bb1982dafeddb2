"""sync.yaml and the app settings as values, with every fault in one report, and Entra's own schemas."""
