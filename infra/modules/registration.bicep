// A multi-tenant app registration without any secret: the managed identity is its only credential.
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity

extension microsoftGraphV1

param uniqueName string
param displayName string

@description('Ids of the application permissions of Microsoft Graph that a tenant is asked for.')
param appRoles string[]

@description('Object id of the managed identity. It has to be in the tenant of this registration.')
param identityPrincipalId string

@description('Where the browser ends up after admin consent.')
param redirectUri string

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: 'AzureADMultipleOrgs'
  requiredResourceAccess: [
    {
      resourceAppId: '00000003-0000-0000-c000-000000000000' // Microsoft Graph, in every tenant
      resourceAccess: [for role in appRoles: { id: role, type: 'Role' }]
    }
  ]
  web: {
    redirectUris: [redirectUri]
    implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false }
  }
  // Nobody in a tenant that consented can add a credential of their own to its service principal.
  servicePrincipalLockConfiguration: { isEnabled: true, allProperties: true }

  resource credential 'federatedIdentityCredentials' = {
    name: '${application.uniqueName}/managed-identity'
    description: 'The function app of this deployment'
    audiences: ['api://AzureADTokenExchange']
    issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
    subject: identityPrincipalId
  }
}

output clientId string = application.appId
