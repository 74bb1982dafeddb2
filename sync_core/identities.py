"""The credentials of a deployment, from its settings."""

from __future__ import annotations

from dataclasses import dataclass

from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential

from .config.settings import CredentialKind, Settings
from .graph import azure_tokens
from .graph.auth import TokenSource
from .graph.credentials import CLOUDS
from .model import Tenant


@dataclass(frozen=True, slots=True)
class Identities:
    """The caller closes each credential."""

    settings: Settings

    def of_storage(self) -> AzureCliCredential | ManagedIdentityCredential:
        """The app's own identity where there is one; at a laptop, whoever signed in with `az login`."""
        if self.settings.has_identity:
            return ManagedIdentityCredential(client_id=self.settings.storage_client_id or None)
        return AzureCliCredential()

    def on_tenant(self, tenant: Tenant, app_id: str) -> TokenSource:
        """The app registration on a tenant, for Graph. Raises ValueError where it is the emulator's."""
        cloud, settings = CLOUDS[tenant.cloud], self.settings
        match settings.credential:
            case CredentialKind.MANAGED_IDENTITY:
                return azure_tokens.federated_identity(
                    tenant_id=tenant.id, app_id=app_id, identity_client_id=settings.identity_client_id, cloud=cloud
                )
            case CredentialKind.CERTIFICATE:
                return azure_tokens.client_certificate(
                    tenant_id=tenant.id, app_id=app_id, path=str(settings.certificate_path), cloud=cloud
                )
            case CredentialKind.SECRET:
                return azure_tokens.client_secret(
                    tenant_id=tenant.id, app_id=app_id, secret=settings.client_secret.get_secret_value(), cloud=cloud
                )
            case CredentialKind.EMULATOR:
                raise ValueError("the emulator's tokens come from no identity")
