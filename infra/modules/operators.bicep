// Who may call the operator endpoints: the app registration that their tokens are for. Only who is assigned gets one.

extension microsoftGraphV1

param uniqueName string
param displayName string

@description('Where a browser comes back to after the sign-in.')
param redirectUri string

@description('Object id of the first operator, a person or a group. Empty: nobody.')
param principalId string

var operatorRoleId = guid(uniqueName, 'Operator')
var readerRoleId = guid(uniqueName, 'Reader')
var scopeId = guid(uniqueName, 'user_impersonation')
// Of the forms that Entra takes for an unverified domain, the one that is known before the application is there.
var identifierUri = 'api://${tenant().tenantId}/${uniqueName}'

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: 'AzureADMyOrg'
  identifierUris: [identifierUri]
  // App Service authentication has no secret here, so that Entra gives the browser an ID token, which it checks.
  web: {
    redirectUris: [redirectUri]
    implicitGrantSettings: { enableIdTokenIssuance: true, enableAccessTokenIssuance: false }
  }
  appRoles: [
    {
      id: operatorRoleId
      value: 'Operator'
      displayName: 'Operator'
      description: 'Sees the state of the synchronization and decides on held deletions'
      allowedMemberTypes: ['User', 'Application']
      isEnabled: true
    }
    {
      id: readerRoleId
      value: 'Reader'
      displayName: 'Reader'
      description: 'Sees the state of the synchronization and changes nothing'
      allowedMemberTypes: ['User', 'Application']
      isEnabled: true
    }
  ]
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: [
      {
        id: scopeId
        value: 'user_impersonation'
        type: 'Admin'
        adminConsentDisplayName: 'Operate xtsync'
        adminConsentDescription: 'Call the operator endpoints as the person who signed in'
        isEnabled: true
      }
    ]
    preAuthorizedApplications: [
      {
        appId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46' // Azure CLI: az account get-access-token
        delegatedPermissionIds: [scopeId]
      }
    ]
  }
  servicePrincipalLockConfiguration: { isEnabled: true, allProperties: true }
}

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
  appRoleAssignmentRequired: true
}

resource operator 'Microsoft.Graph/appRoleAssignedTo@v1.0' = if (!empty(principalId)) {
  appRoleId: operatorRoleId
  principalId: principalId
  resourceId: servicePrincipal.id
}

output clientId string = application.appId
output audience string = identifierUri
