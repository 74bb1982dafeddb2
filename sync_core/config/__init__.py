"""sync.yaml and the app settings as values, with every fault in one report, and Entra's own schemas."""

import os

# We use no plugins of pydantic, and to look for them it reads the metadata of every installed package at each start.
# https://docs.pydantic.dev/latest/concepts/plugins/#environment-variables
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
