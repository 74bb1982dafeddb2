"""What a release consists of: `.github/workflows/release.yml` runs it when a tag is pushed.

notes.py  the section of CHANGELOG.md, and whether tag, version and section agree
sbom.py   the bill of materials: what is in the zip, read from the zip's own folder
"""
