// The function app on Flex Consumption. https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan

import { endpointsType, settingsType, tagsType } from '../types.bicep'

param name string
param planName string
param location string
param tags tagsType
param identityId string
param identityClientId string

@description('App registration that reads source tenants.')
param sourceClientId string

@description('App registration that writes target tenants.')
param targetClientId string

@description('App registration that the tokens of operators are for.')
param operatorsClientId string
param operatorsAudience string

@description('Primary endpoints of the storage account.')
param storageEndpoints endpointsType
param deploymentContainerUri string
param applicationInsightsConnectionString string

@description('Subnet for outgoing connections. Empty: none.')
param subnetId string
param maximumInstanceCount int
param writeBudget string
param activityDays int

@description('Container for a copy of the record. Empty: none.')
param recordContainer string
param telemetry string
param telemetryRatio string
param otlpEndpoint string
param pollSchedule string
param subscriptionSchedule string

@description('References to a key vault, by the setting that sync.yaml names under `notify`.')
param notifySettings settingsType

// Every setting that the code or the host reads, and no other. tests/infra compares.
var appSettings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  AzureWebJobsStorage__blobServiceUri: storageEndpoints.blob
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storageEndpoints.table
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint
  POLL_SCHEDULE: pollSchedule
  SUBSCRIPTION_SCHEDULE: subscriptionSchedule
  XTSYNC_ACTIVITY_DAYS: string(activityDays)
  XTSYNC_CONFIG: '/home/site/wwwroot/sync.yaml'
  XTSYNC_CREDENTIAL: 'managed_identity'
  XTSYNC_IDENTITY_CLIENT_ID: identityClientId
  XTSYNC_OPERATOR_ENDPOINTS: 'entra'
  XTSYNC_RECORD_CONTAINER: recordContainer
  XTSYNC_SOURCE_CLIENT_ID: sourceClientId
  XTSYNC_TARGET_CLIENT_ID: targetClientId
  XTSYNC_TELEMETRY: telemetry
  XTSYNC_TELEMETRY_RATIO: telemetryRatio
  XTSYNC_WRITE_BUDGET: writeBudget
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identityId
    siteConfig: { minTlsVersion: '1.2' }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstanceCount
        // Graph gives a webhook seconds: one instance always answers at once, and takes a burst by itself.
        alwaysReady: [
          { name: 'http', instanceCount: 1 }
        ]
        triggers: {
          http: { perInstanceConcurrency: 16 }
        }
      }
    }
  }
}

// Only with authentication in front: one of the settings says that it is there.
resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(appSettings, notifySettings)
  dependsOn: [authentication]
}

// Graph cannot sign in, and proves itself by the client state; health says nothing about anybody. All else needs a token.
// The paths are written out, so that nothing new becomes public by its name.
resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: [
        '/api/graph/notifications'
        '/api/graph/lifecycle'
        '/api/health'
      ]
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: operatorsClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [operatorsClientId, operatorsAudience] }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
}

// Deployment goes through Entra, not through user names and passwords.
resource passwordsForFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource passwordsForScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

output name string = app.name
output uri string = 'https://${app.properties.defaultHostName}'
