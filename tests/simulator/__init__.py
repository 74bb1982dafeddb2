"""The deterministic simulator: the real code in a world of which it owns every source of chance and all time.

One seed is one history: people moving in the source tenant, administrators at work in the target, events lost and
doubled, workers dying, Graph and storage failing. At its end `model` checks the invariants of docs/architecture.md,
section 4, from the directories and from what went over the wire; it knows nothing of the engine.

    python -m tests.simulator --seeds 1000          many histories
    python -m tests.simulator --seeds 1000 --groups likewise, with a scope that names groups
    python -m tests.simulator --seed 42 --trace     one of them, readably
"""
