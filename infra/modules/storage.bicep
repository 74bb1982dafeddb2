// All state of the deployment, its queues and its package. Only Entra tokens open it: shared keys are off.

import { storageRoles } from '../roles.bicep'

param name string
param location string
param tags object

@description('Object id of the app\'s identity.')
param principalId string

@description('Whether the account answers outside of its private endpoints.')
param publicAccess bool

var workQueues = [
  'user-changes'
  'feed-pages'
  'subscription-events'
]
var tables = [
  'links'
  'feeds'
  'subscriptions'
  'guards'
  'activity'
]
// The host copies to <queue>-poison what failed again and again. Made here, so that nothing depends on its doing so.
var queues = union(workQueues, map(workQueues, each => '${each}-poison'))
var deploymentContainer = 'app-package'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: publicAccess ? 'Allow' : 'Deny', bypass: 'None' }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: deploymentContainer
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [
  for each in queues: {
    parent: queueService
    name: each
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = [
  for each in tables: {
    parent: tableService
    name: each
  }
]

resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in items(storageRoles): {
    name: guid(account.id, principalId, each.value)
    scope: account
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.value)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

output name string = account.name
output endpoints object = account.properties.primaryEndpoints
output deploymentContainerUri string = '${account.properties.primaryEndpoints.blob}${container.name}'
