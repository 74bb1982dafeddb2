"""The functions of the reference, each registered by its module.

https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data
It says little about null and about positions out of range. The reference for Entra Connect says more about the same
functions: https://learn.microsoft.com/entra/identity/hybrid/connect/reference-connect-sync-functions-reference
"""

from . import chance, dates, lists, logic, replace, text

__all__ = ["chance", "dates", "lists", "logic", "replace", "text"]
