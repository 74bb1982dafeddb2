"""Measured figures. `python -m bench` runs every scenario and compares each figure with its limit, if it has one."""
