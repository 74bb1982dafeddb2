"""What `make check` asks of the source beyond format, types and layers.

    words.py     long sentences, first words and phrases that cost a reader time; long lines of documentation
    dead.py      definitions of the product that no part of the product uses
    sizes.py     long files and functions, late imports, changes of a link outside of model/link.py
    ceilings.py  how many findings each room still has; the numbers of ceilings.toml may only fall
    subject.py   the subject of a commit message; a commit hook calls it

Each check prints a place, what is wrong there, and the remedy. `python -m tools.checks.words sync_core/graph` lists
all findings of one room, whatever its ceiling; `--lower` writes today's counts into ceilings.toml.
"""
