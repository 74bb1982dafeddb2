"""The deployment package: the app and, of its dependencies, what it can reach. `make package` builds it.

.cache/package/full       every dependency, as requirements.txt pins it, for the platform of Flex Consumption
.cache/package/app        what is deployed: the app, and .python_packages/lib/site-packages without the rest
.cache/package/xtsync.zip the same, byte for byte the same for the same input
"""
