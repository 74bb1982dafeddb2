// What `azd up` deploys without any option.

using '../main.bicep'

param environmentName = 'xtsync'
param location = 'westeurope'
param principalId = '00000000-0000-0000-0000-000000000003'
