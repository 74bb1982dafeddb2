// What somebody has to know. Each rests on state that every poll measures, and on no count of lines, which can be lost.
// Every query gives one row for each thing that is in trouble, named in the column `subject`:
// an alert fires for each of them by itself, and resolves by itself. docs/deploy.md says what to do about each.

import { tagsType } from '../types.bicep'

param namePrefix string
param actionGroupName string
param location string
param tags tagsType
param workspaceId string

@description('Who gets a mail. Empty: nobody.')
param email string

@description('Keys, as in sync.yaml, of the tenants whose feeds and subscriptions are expected to be alive.')
param sourceTenants string[]

param maxFailurePercent int
param latencyTargetSeconds int

// Severity: 1 error (changes are late or lost from sight), 2 warning (a person has to decide or to mend), 3 informational.
var rules = [
  {
    name: 'no-live-subscription'
    summary: 'Graph does not notify us of changes in this source tenant; only the poll finds them.'
    severity: 1
    window: 'PT2H' // also without the poll, each keeping measures it, once an hour
    every: 'PT15M'
    query: loadTextContent('../queries/no-live-subscription.kql')
  }
  {
    name: 'feed-not-completed'
    summary: 'No round of this source tenant\'s feed (of users, or of the groups that scopes name) was completed in the last 30 minutes.'
    severity: 1
    window: 'PT30M'
    every: 'PT5M'
    query: loadTextContent('../queries/feed-not-completed.kql')
  }
  {
    name: 'queue-not-worked'
    summary: 'Nobody takes messages off this queue: its function is disabled, or the app does not scale.'
    severity: 1
    window: 'PT30M'
    every: 'PT5M'
    query: loadTextContent('../queries/queue-not-worked.kql')
  }
  {
    name: 'messages-poisoned'
    summary: 'Messages of this queue failed again and again, or cannot be read, and wait for a person.'
    severity: 2
    window: 'PT30M'
    every: 'PT5M'
    query: loadTextContent('../queries/messages-poisoned.kql')
  }
  {
    name: 'users-parked'
    summary: 'Users of this sync are parked: something refuses their change.'
    severity: 2
    window: 'PT30M'
    every: 'PT15M'
    query: loadTextContent('../queries/users-parked.kql')
  }
  {
    name: 'deletions-held'
    summary: 'The deletion guard holds deletions of this sync until a person approves or rejects them.'
    severity: 2
    window: 'PT30M'
    every: 'PT5M'
    query: loadTextContent('../queries/deletions-held.kql')
  }
  {
    name: 'creations-waiting'
    summary: 'More newcomers than the ceiling of this sync allows: the others wait, until a person lets them in.'
    severity: 2
    window: 'PT30M'
    every: 'PT15M'
    query: loadTextContent('../queries/creations-waiting.kql')
  }
  {
    name: 'failure-rate'
    summary: 'Too many users of this sync, or too many runs of this function, fail.'
    severity: 2
    window: 'PT30M'
    every: 'PT15M'
    query: replace(loadTextContent('../queries/failure-rate.kql'), '__MAX_FAILURE_PERCENT__', string(maxFailurePercent))
  }
  {
    name: 'latency'
    summary: 'Changes of this sync take too long from notification to target tenant.'
    severity: 3
    window: 'PT30M'
    every: 'PT15M'
    query: replace(
      loadTextContent('../queries/latency.kql'),
      '__LATENCY_TARGET_MS__',
      string(latencyTargetSeconds * 1000)
    )
  }
]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'xtsync'
    emailReceivers: [
      { name: 'operators', emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${namePrefix}${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'xtsync: ${rule.name}'
      description: rule.summary
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: replace(rule.query, '__SOURCE_TENANTS__', string(sourceTenants))
            timeAggregation: 'Count'
            dimensions: [
              { name: 'subject', operator: 'Include', values: ['*'] }
            ]
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      // A workspace that was made a minute ago does not know all of its tables yet.
      skipQueryValidation: true
      actions: { actionGroups: empty(email) ? [] : [operators.id] }
    }
  }
]
