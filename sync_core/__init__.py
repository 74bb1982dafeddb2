"""Cross-tenant synchronization of Microsoft Entra B2B users: the shared core. Nothing in here imports azure.functions.

bootstrap.py   this process: its settings, its configuration, its runtime; light, for the webhook loads nothing else
deployment.py  Graph clients and storage from settings; the only file that knows every adapter
assembly.py    the core, assembled on whatever stands behind its ports
identities.py  the credentials of a deployment, imported where tokens come from Entra
model/         the nouns, the messages and the errors; it imports nothing of ours
ports/         what the core needs of the world
mapping/       what the target user should look like
scope/         who is in
decision/      what is to be done about one user; pure
guard/         how much may be taken away, what waits for a person, and which configuration judges
nominate/      who is to be looked at: webhook, subscriptions, rounds of feeds
reconcile/     one user: read afresh, decide, act, record
upkeep/        what the timer does besides
graph/         the adapter to Microsoft Graph
storage/       the adapter to tables and queues
notify/        the adapter to those who are told: Teams workflows and signed webhooks
telemetry/     traces and metrics, where a setting turns them on
config/        sync.yaml, app settings, Entra's own schemas
ops/           what an operator sees and does, as documents; plan and doctor among them
web/           the page for operators: files for a browser, served by ops
cli/           the same for people
"""
