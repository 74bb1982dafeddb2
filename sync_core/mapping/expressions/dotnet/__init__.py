"""The parts of .NET that Microsoft's expressions show through: dates, cases, cultures, regular expressions.

Nothing in here knows the expression language. Written from the public documentation of .NET.
"""
