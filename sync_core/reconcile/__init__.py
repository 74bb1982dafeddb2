"""One user: read afresh, decide, act, record. The main path is Engine.reconcile in engine.py."""
