// What modules hand to each other.

@export()
type tagsType = {
  @description('By this azd finds what belongs to an environment.')
  'azd-env-name': string

  @description('The app bears one more, azd-service-name: by that azd finds what it deploys to.')
  *: string
}

@export()
@description('Of a storage account: where its services answer.')
type endpointsType = {
  blob: string
  queue: string
  table: string
}

@export()
@description('Further app settings, by name.')
type settingsType = {
  *: string
}
