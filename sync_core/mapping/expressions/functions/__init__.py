"""The functions of the reference, each registered by its module.

https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data
Where the reference leaves null and positions out of range open, its sister for Entra Connect speaks of the same
functions in more words: https://learn.microsoft.com/entra/identity/hybrid/connect/reference-connect-sync-functions-reference
"""

from . import chance, dates, lists, logic, replace, text

__all__ = ["chance", "dates", "lists", "logic", "replace", "text"]
