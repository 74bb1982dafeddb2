// Logs and telemetry, for Entra identities only, and the workbook over them.

import { telemetryRoles } from '../roles.bicep'
import { tagsType } from '../types.bicep'

param workspaceName string
param componentName string
param location string
param tags tagsType
param retentionDays int

@description('The identity that sends telemetry.')
param publisherName string

@description('Its object id.')
param publisherPrincipalId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(telemetryRoles): {
    // From what is known before the deployment, so that what-if shows the assignment. Its name is its identity: keep it.
    name: guid(component.id, resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', publisherName), role.value)
    scope: component
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
      principalId: publisherPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspace.id, 'xtsync')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Cross-tenant synchronization'
    category: 'workbook'
    sourceId: workspace.id
    version: 'Notebook/1.0'
    serializedData: loadTextContent('../workbook.json')
  }
}

output workspaceId string = workspace.id
output connectionString string = component.properties.ConnectionString
