# Source this beside a running `make up`: the app settings of the local stack, and `xtsync` on the PATH.
# shellcheck shell=sh
_account=devstoreaccount1
# The key that Microsoft publishes for every storage emulator; it opens nothing else.
_key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==
_blob=http://127.0.0.1:${AZURITE_BLOB_PORT:-10000}/$_account
_queue=http://127.0.0.1:${AZURITE_QUEUE_PORT:-10001}/$_account
_table=http://127.0.0.1:${AZURITE_TABLE_PORT:-10002}/$_account
export AzureWebJobsStorage="DefaultEndpointsProtocol=http;AccountName=$_account;AccountKey=$_key;BlobEndpoint=$_blob;QueueEndpoint=$_queue;TableEndpoint=$_table;"
export XTSYNC_CREDENTIAL=emulator
export XTSYNC_GRAPH_URL="http://127.0.0.1:${GRAPH_EMULATOR_PORT:-8040}"
export XTSYNC_PUBLIC_URL="http://127.0.0.1:${FUNCTIONS_PORT:-7071}"
export XTSYNC_CONFIG="${XTSYNC_CONFIG:-$PWD/sync.yaml}"
# A proxy knows nothing of the ports of this machine.
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}"
export PATH="$PWD/.venv/bin:$PATH"
