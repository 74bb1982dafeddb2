"""The adapter to Microsoft Graph: tokens, requests, errors, the write budget, and one class for each port."""
