// With every option: VNET_ENABLED, READ_GROUPS, NOTIFY_GROUPS, ALERT_EMAIL and NOTIFY_VAULT; and a copy of the record.

using '../main.bicep'

param environmentName = 'xtsync'
param location = 'westeurope'
param principalId = '00000000-0000-0000-0000-000000000003'
param vnetEnabled = true
param readGroups = true
param notifyGroups = true
param alertEmail = 'operators@contoso.com'
param notifyVault = 'contoso-notices'
param recordDays = 365
