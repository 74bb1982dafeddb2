// All state of the deployment, its queues and its package. Only Entra tokens open it: shared keys are off.

import { recordRoles, storageRoles } from '../roles.bicep'
import { endpointsType, tagsType } from '../types.bicep'

param name string
param location string
param tags tagsType

@description('The app\'s identity.')
param identityName string

@description('Its object id.')
param principalId string

@description('Whether the account answers outside of its private endpoints.')
param publicAccess bool

@description('Days for which nobody can change a copy of the record. 0: no copy.')
param recordDays int

var workQueues = [
  'user-changes'
  'feed-pages'
  'subscription-events'
  'plan-jobs'
]
var tables = [
  'links'
  'feeds'
  'subscriptions'
  'guards'
  'activity'
  'controls'
  'plans'
]
// The host copies to <queue>-poison what failed again and again. Made here, so that nothing depends on its doing so.
var queues = union(workQueues, map(workQueues, each => '${each}-poison'))
var deploymentContainer = 'app-package'
var recordContainer = 'record'

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

resource record 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = if (recordDays > 0) {
  parent: blobService
  name: recordContainer
}

// Unlocked: docs/operations.md says how to lock it, which nobody can take back.
// https://learn.microsoft.com/azure/templates/microsoft.storage/storageaccounts/blobservices/containers/immutabilitypolicies
// (looked up 2026-11-30)
resource recordPolicy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = if (recordDays > 0) {
  parent: record
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: recordDays
    // New blocks can be added, and none can be changed.
    allowProtectedAppendWrites: true
  }
}

// https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure
resource recordEnd 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = if (recordDays > 0) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'record'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['appendBlob'], prefixMatch: ['${recordContainer}/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: recordDays + 1 } } }
          }
        }
      ]
    }
  }
}

resource recordRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in items(recordRoles): if (recordDays > 0) {
    // As below, of the container.
    name: guid(
      account.id,
      recordContainer,
      resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', identityName),
      each.value
    )
    scope: record
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.value)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

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
    // From what is known before the deployment, so that what-if shows the assignment. Its name is its identity: keep it.
    name: guid(account.id, resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', identityName), each.value)
    scope: account
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.value)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

output id string = account.id
output endpoints endpointsType = {
  blob: account.properties.primaryEndpoints.blob
  queue: account.properties.primaryEndpoints.queue
  table: account.properties.primaryEndpoints.table
}
output deploymentContainerUri string = '${account.properties.primaryEndpoints.blob}${container.name}'
output recordContainer string = recordDays > 0 ? recordContainer : ''
