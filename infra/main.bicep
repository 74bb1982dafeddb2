targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the environment; every name is made from it.')
param environmentName string

@minLength(1)
@description('Where everything is placed: a region that has Flex Consumption (az functionapp list-flexconsumption-locations).')
@metadata({ azd: { type: 'location' } })
param location string

@description('Object id of the person or group that may call the operator endpoints. Empty: nobody yet.')
param principalId string = ''

@description('Reach storage through private endpoints in a virtual network only. Graph still posts to the public host name of the app.')
param vnetEnabled bool = false

@description('Ask for GroupMember.Read.All in the source tenants, for a scope that names groups.')
param readGroups bool = false

@description('Ask for Group.Read.All besides, so that Graph notifies of changed groups. Without it the poll finds them, within minutes.')
param notifyGroups bool = false

@description('Who gets the alerts by mail. Empty: they show in the portal only.')
param alertEmail string = ''

@description('Name of a key vault that has the addresses and secrets of `notify` in sync.yaml, each named as its setting with - for _.')
param notifyVault string = ''

@minValue(40)
@maxValue(1000)
@description('Most instances of one function. 40 is the least that Flex Consumption takes; the write budget of Graph is used up long before.')
param maximumInstanceCount int = 40

@description('Writes/seconds that Graph allows one app on one tenant.')
param writeBudget string = '3000/150'

@description('NCRONTAB, UTC: starts a round of every feed.')
param pollSchedule string = '0 */5 * * * *'

@description('NCRONTAB, UTC: renews the subscriptions. They live for two days; the alert expects a run within three hours.')
param subscriptionSchedule string = '0 30 * * * *'

@minValue(30)
@maxValue(730)
@description('Days that logs are kept. They hold object ids, never names or addresses.')
param logRetentionDays int = 30

@minValue(1)
@maxValue(3650)
@description('Days that the record of what was done to whom is kept.')
param activityDays int = 365

@minValue(0)
@maxValue(3650)
@description('Days for which nobody can change or delete a copy of the record in a container. 0: no copy. See docs/operations.md.')
param recordDays int = 0

@allowed(['off', 'azure_monitor', 'otlp'])
@description('Where traces and metrics of the app go. See docs/telemetry.md, also for what it costs.')
param telemetry string = 'off'

@description('Part of the traces that is kept, from 0 to 1.')
param telemetryRatio string = '0.1'

@description('For telemetry otlp: address of the collector.')
param otlpEndpoint string = ''

@minValue(1)
@maxValue(100)
@description('Percentage of failed users or invocations above which an alert fires.')
param maxFailurePercent int = 5

@minValue(1)
@description('Alert when 95 of 100 notified changes take longer than this.')
param latencyTargetSeconds int = 60

import { groupEventRoles, groupRoles, sourceRoles, targetRoles } from 'roles.bicep'
import { tagsType } from 'types.bicep'

var abbrs = loadJsonContent('abbreviations.json')
var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var tags tagsType = { 'azd-env-name': environmentName }

// The same file that the app reads: who has to consent, and whose feeds and subscriptions are watched, follow from it.
var config = loadYamlContent('../sync.yaml')
var sourceTenants = union(map(config.syncs, sync => sync.source), [])
var targetTenants = union(map(config.syncs, sync => sync.target), [])
var receivers = contains(config, 'notify') ? any(config).notify : []
var notifySettings = union(
  map(receivers, each => each.?teams ?? each.webhook),
  map(filter(receivers, each => contains(each, 'secret')), each => each.secret)
)

// Names that others are made from are said here, and not asked of the modules: what-if can then tell what will be made.
var identityName = '${abbrs.managedIdentityUserAssignedIdentities}api-${resourceToken}'
var storageAccountName = '${abbrs.storageStorageAccounts}${resourceToken}'
var functionAppName = '${abbrs.webSitesFunctions}api-${resourceToken}'
// Where the browser of an administrator ends up after consenting; consent fails without such an address.
var consentRedirectUri = 'https://${functionAppName}.azurewebsites.net/api/health'
// Where Entra sends the browser of an operator who signs in to the page.
var signInRedirectUri = 'https://${functionAppName}.azurewebsites.net/.auth/login/aad/callback'
var loginEndpoint = environment().authentication.loginEndpoint

resource rg 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbrs.resourcesResourceGroups}${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: rg
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module source 'modules/registration.bicep' = {
  scope: rg
  params: {
    uniqueName: 'xtsync-source-${resourceToken}'
    displayName: 'xtsync ${environmentName} (reads source tenants)'
    appRoles: map(
      items(union(sourceRoles, readGroups ? groupRoles : {}, readGroups && notifyGroups ? groupEventRoles : {})),
      role => role.value
    )
    identityPrincipalId: identity.outputs.principalId
    redirectUri: consentRedirectUri
  }
}

module target 'modules/registration.bicep' = {
  scope: rg
  params: {
    uniqueName: 'xtsync-target-${resourceToken}'
    displayName: 'xtsync ${environmentName} (writes target tenants)'
    appRoles: map(items(targetRoles), role => role.value)
    identityPrincipalId: identity.outputs.principalId
    redirectUri: consentRedirectUri
  }
}

module operators 'modules/operators.bicep' = {
  scope: rg
  params: {
    uniqueName: 'xtsync-operators-${resourceToken}'
    displayName: 'xtsync ${environmentName} (operators)'
    redirectUri: signInRedirectUri
    principalId: principalId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: rg
  params: {
    workspaceName: '${abbrs.operationalInsightsWorkspaces}${resourceToken}'
    componentName: '${abbrs.insightsComponents}${resourceToken}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    publisherName: identityName
    publisherPrincipalId: identity.outputs.principalId
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: rg
  params: {
    namePrefix: abbrs.insightsScheduledQueryRules
    actionGroupName: '${abbrs.insightsActionGroups}${resourceToken}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    sourceTenants: sourceTenants
    maxFailurePercent: maxFailurePercent
    latencyTargetSeconds: latencyTargetSeconds
  }
}

module storage 'modules/storage.bicep' = {
  scope: rg
  params: {
    name: storageAccountName
    location: location
    tags: tags
    identityName: identityName
    principalId: identity.outputs.principalId
    publicAccess: !vnetEnabled
    recordDays: recordDays
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  scope: rg
  params: {
    name: '${abbrs.networkVirtualNetworks}${resourceToken}'
    endpointPrefix: abbrs.networkPrivateEndpoints
    location: location
    tags: tags
    storageAccountName: storageAccountName
    storageAccountId: storage.outputs.id
  }
}

module hosting 'modules/hosting.bicep' = {
  scope: rg
  params: {
    name: functionAppName
    planName: '${abbrs.webServerFarms}${resourceToken}'
    location: location
    tags: union(tags, { 'azd-service-name': 'api' })
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    sourceClientId: source.outputs.clientId
    targetClientId: target.outputs.clientId
    operatorsClientId: operators.outputs.clientId
    operatorsAudience: operators.outputs.audience
    storageEndpoints: storage.outputs.endpoints
    deploymentContainerUri: storage.outputs.deploymentContainerUri
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    maximumInstanceCount: maximumInstanceCount
    writeBudget: writeBudget
    activityDays: activityDays
    recordContainer: storage.outputs.recordContainer
    telemetry: telemetry
    telemetryRatio: telemetryRatio
    otlpEndpoint: otlpEndpoint
    pollSchedule: pollSchedule
    subscriptionSchedule: subscriptionSchedule
    notifySettings: empty(notifyVault)
      ? {}
      : toObject(
          notifySettings,
          setting => setting,
          setting => '@Microsoft.KeyVault(VaultName=${notifyVault};SecretName=${replace(setting, '_', '-')})'
        )
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = rg.name
output AZURE_FUNCTION_NAME string = hosting.outputs.name
output SERVICE_API_NAME string = hosting.outputs.name
output SERVICE_API_URI string = hosting.outputs.uri
output STORAGE_ACCOUNT_NAME string = storageAccountName
output SOURCE_CLIENT_ID string = source.outputs.clientId
output TARGET_CLIENT_ID string = target.outputs.clientId
output OPERATORS_AUDIENCE string = operators.outputs.audience

@description('The page for operators, by way of the sign-in.')
output OPERATORS_PAGE string = '${hosting.outputs.uri}/.auth/login/aad?post_login_redirect_uri=/api/ops/'

@description('One link for each source tenant, for an administrator there.')
output SOURCE_ADMIN_CONSENT_URLS string[] = [
  for key in sourceTenants: '${loginEndpoint}${config.tenants[key].id}/adminconsent?client_id=${source.outputs.clientId}'
]

@description('One link for each target tenant, for an administrator there.')
output TARGET_ADMIN_CONSENT_URLS string[] = [
  for key in targetTenants: '${loginEndpoint}${config.tenants[key].id}/adminconsent?client_id=${target.outputs.clientId}'
]
