"""Cross-tenant synchronization of Microsoft Entra B2B users: the shared core.

Nothing in here imports azure.functions; docs/architecture.md is the map.
"""
