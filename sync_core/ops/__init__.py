"""What an operator sees and does, as JSON documents: the command line and the HTTP endpoints give the same ones.

status.py     how everything stands
looks.py      one look at one user, and what would be done
holds.py      what the guard holds, and a person's decision
resync.py     a feed from the very beginning
principal.py  who calls over HTTP, and what they may
endpoints.py  `/api/ops/...`
"""
