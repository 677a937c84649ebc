"""Calls, messages, tasks, deals and what was done about them: their fields, in the form that `streams` reads."""

TABLE = """
calls call
  filter updatedAt createdAt
  sort updatedAt createdAt
  time answeredAt completedAt createdAt dialedAt returnedAt stateChangedAt updatedAt
  text direction externalVendor from note outcome recordingUrl sequenceAction state to userCallType
  text vendorCallId voicemailRecordingUrl recordingDeletionReason
  uuid uid
  flag shouldRecordCall
  texts tags
  wholes batches outboundVoicemail phone
  one associatedId:account|opportunity callDisposition callPurpose opportunity phoneNumber prospect sequence
  one sequenceState sequenceStep task user
mailings mailing
  filter updatedAt createdAt
  sort updatedAt createdAt
  time bouncedAt clickedAt createdAt deliveredAt followUpTaskScheduledAt markedAsSpamAt
  time notifyThreadScheduledAt openedAt repliedAt retryAt scheduledAt stateChangedAt unsubscribedAt
  time updatedAt desiredAt followUpSequenceStartingDate optimizedScheduledAt
  text bodyHtml bodyText errorBacktrace errorReason followUpTaskType mailboxAddress mailingType messageId
  text notifyThreadCondition notifyThreadStatus state subject attributableSequenceName followUpSequenceName
  text meetingDescription meetingLocation meetingTitle replySentiment
  whole clickCount openCount retryCount retryInterval attributableSequenceId followUpSequenceId
  whole meetingDuration scheduleId
  flag overrideSafetySettings trackLinks trackOpens
  texts references
  wholes attachments calendar schedule
  one followUpSequence:sequence mailbox opportunity prospect sequence sequenceState sequenceStep task
  one template user
  many recipients:recipient tasks:task
tasks task
  filter updatedAt createdAt
  sort updatedAt createdAt
  time autoskipAt completedAt createdAt dueAt scheduledAt stateChangedAt updatedAt
  text action compiledSequenceTemplateHtml note opportunityAssociation state taskType
  whole taskTheme prospectAccount prospectOwner prospectStage
  flag completed
  wholes prospectContacts defaultPluginMapping prospectPhoneNumbers sequenceStateSequenceStep
  wholes sequenceStateSequenceStepOverrides sequenceStateStartingTemplate sequenceStepOverrideTemplates
  wholes sequenceTemplateTemplate
  one account call completer:user creator:sequenceStep|stage|user mailing opportunity owner:user prospect
  one sequence sequenceState sequenceStep sequenceTemplate subject:account|opportunity|prospect
  one taskDisposition taskPriority taskPurpose template
  many sequenceSequenceSteps:sequenceStep
  link calls mailings
events event
  filter createdAt
  sort createdAt
  time createdAt eventAt
  text body externalUrl name requestCity requestDevice requestHost
  flag requestProxied requestRegion
  object payload
  none mailingId
  one account call mailing opportunity prospect task user
opportunities opportunity
  filter updatedAt createdAt
  sort updatedAt createdAt
  time closeDate createdAt externalCreatedAt externalUpdatedAt touchedAt trashedAt updatedAt
  text amountPrecise currencyType customId description forecastCategory leadSource lostReason mapNextSteps
  text mapStatus name nextStep opportunityType prospectingRepId recordType sharingTeamId healthCategory
  url mapLink
  whole amount probability healthScore mapNumberOfOverdueTasks
  texts tags
  wholes assignedUsers opportunityHealthFactors assignedTeams defaultPluginMapping externalCreator favorites
  wholes primaryProspect
  none territoryId
  custom 150
  one account creator:user opportunityStage owner:user stage:opportunityStage updater:user
  link prospects
opportunity_prospect_roles opportunityProspectRole
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text role
  flag primary
  one opportunity prospect
products product
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text classification code description name productFamily unitOfMeasure website
  flag deleted status
  custom 150
  one creator:user owner:user updater:user
  link purchases
purchases purchase
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  day endDate startDate
  text currency description source
  number potentialQuantity potentialValue saturation totalQuantity totalValue
  flag status
  custom 150
  one account creator:user owner:user product updater:user
kaia_recordings kaiaRecording
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt endTime startTime updatedAt
  text botInMeetingSeconds format instanceId mediaDurationSeconds provider recordingUrl sourceId state title
  text transcriptUrl
  whole participantCount
  object host KaiaRecordingParticipant! KaiaRecordingTopic!
  objects participants topics
  link account opportunity owner
sequence_states sequenceState
  filter updatedAt createdAt
  sort updatedAt createdAt
  time activeAt callCompletedAt createdAt repliedAt stateChangedAt updatedAt
  text errorReason pauseReason state
  whole bounceCount clickCount deliverCount failureCount negativeReplyCount neutralReplyCount openCount
  whole optOutCount positiveReplyCount replyCount scheduleCount
  one account batchItemCreator:batchItem creator:user mailbox opportunity prospect sequence sequenceStep
  many activeStepMailings:mailing activeStepTasks:task
  link calls mailings tasks
batches batch
  sort createdAt
  time canceledAt confirmedAt createdAt finishedAt startedAt updatedAt
  text action externalStartPayload state
  whole confirmCount failures pending total
  flag confirmedCountRequired
  object payload summary
  link batchItems
batch_items batchItem
  time createdAt
  text data info state
  whole batchId
  flag failed
  one batch
audit_logs auditLog
  time timestamp
  text action eventName globalId orgId requestId result
  object agent additionalInfoList! changesList!
  objects additionalInfo changes
compliance_requests complianceRequest
  time createdAt updatedAt
  text batchComplianceRequestUuid objectType requestObjectId requestType state uuid
  whole requesterId
  object pii
  one requester:user
"""
