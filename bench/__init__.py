"""Measured figures. `python -m bench` runs every scenario; each figure that has a limit is judged by it."""
