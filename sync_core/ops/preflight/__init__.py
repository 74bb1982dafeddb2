"""`xtsync preflight`: a target tenant read once, and everybody of the sources decided on by what was read.

Listings nominate and do not decide, and nothing is decided here either: it is shown. The decision itself is the
engine's own (decision/), over the candidates that the listing has instead of those that a search finds.

    residents.py  the users of the target, by address and by marker, in little memory
    judging.py    one source user against them: what a look would do, and what would stand in its way
    causes.py     causes in words, with weights and remedies
    run.py        reads the tenants, and makes the document
"""
