"""What tests of all kinds share: real objects that stand in for the world. Nothing here is patched into place."""
