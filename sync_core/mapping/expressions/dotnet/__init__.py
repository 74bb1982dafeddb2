"""The parts of .NET that show in Microsoft's expressions: dates, cases, cultures, regular expressions.

Nothing in here knows the expression language. Written from the public documentation of .NET.
"""
