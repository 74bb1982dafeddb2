// Every permission of the deployment, by the id that is the same in all tenants.

@export()
@description('Azure: what the app may do in its storage account.')
var storageRoles = {
  // Deployment package, keys of the host, leases and status of timers.
  StorageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  // Triggers, outputs, poison queues, and delaying a message.
  StorageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  // All state: links, feeds, subscriptions, guards, activity, controls.
  StorageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

@export()
@description('Azure: what the app may do in the container for the copy of the record, where there is one.')
var recordRoles = {
  // Making append blobs and appending to them. So the copy does not depend on what the host is allowed.
  StorageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
}

@export()
@description('Azure: what the app may do in Application Insights. Local authentication is off there.')
var telemetryRoles = {
  MonitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

@export()
@description('Microsoft Graph, as an application: in the source tenants.')
var sourceRoles = {
  // Delta query, fresh reads, deletedItems, subscriptions to users.
  'User.Read.All': 'df021288-bdef-4463-88db-98f22de89214'
}

@export()
@description('Microsoft Graph, as an application: in the source tenants, when the scope of a sync names groups.')
var groupRoles = {
  'GroupMember.Read.All': '98830695-27a2-44f7-8c18-0c3ebc9698f6'
}

@export()
@description('Microsoft Graph, as an application: in the source tenants, for notifications of changed groups. Without it the poll finds them.')
var groupEventRoles = {
  // https://learn.microsoft.com/graph/api/subscription-post-subscriptions: GroupMember.Read.All is not enough.
  'Group.Read.All': '5b567255-7703-4780-807c-7be8301ae99b'
}

@export()
@description('Microsoft Graph, as an application: in the target tenants.')
var targetRoles = {
  // POST /invitations.
  'User.Invite.All': '09850681-111b-4a89-9bed-3f2cae46d706'
  // Finding candidates, and writing attributes, accountEnabled among them.
  'User.ReadWrite.All': '741f803b-c850-494e-b5df-cde7c675a1ca'
  // Soft-delete, and restore from deletedItems.
  'User.DeleteRestore.All': 'eccc023d-eccf-4e7b-9683-8813ab36cecc'
}
