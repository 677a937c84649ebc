"""Sequences, templates and all that an administrator sets up: their fields, in the form that `streams` reads."""

TABLE = """
sequences sequence
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt enabledAt lastUsedAt lockedAt throttlePausedAt updatedAt
  text description name primaryReplyAction salesMotion scheduleIntervalType secondaryReplyAction
  text sequenceType shareType
  whole automationPercentage bounceCount clickCount deliverCount durationInDays failureCount maxActivations
  whole negativeReplyCount neutralReplyCount numContactedProspects numRepliedProspects openCount optOutCount
  whole positiveReplyCount primaryReplyPauseDuration replyCount scheduleCount secondaryReplyPauseDuration
  whole sequenceStepCount throttleCapacity throttleMaxAddsPerDay
  flag enabled finishOnReply locked throttlePaused transactional
  texts tags
  wholes schedule
  none engagementScore interestedCount
  one creator:user owner:user ruleset updater:user
  many contentCategoryMemberships:contentCategoryMembership sequenceSteps:sequenceStep
  link calls mailings sequenceStates tasks
sequence_steps sequenceStep
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  day_or_time date
  text displayName stepType taskNote taskAutoDisplay
  whole bounceCount clickCount deliverCount failureCount interval negativeReplyCount neutralReplyCount
  whole openCount optOutCount order positiveReplyCount replyCount scheduleCount taskAutoskipDelay
  wholes schedule!
  one callPurpose creator:user sequence taskPriority updater:user
  many sequenceTemplates:sequenceTemplate
  link calls mailings tasks
sequence_templates sequenceTemplate
  time createdAt enabledAt updatedAt
  whole bounceCount clickCount deliverCount failureCount negativeReplyCount neutralReplyCount openCount
  whole optOutCount positiveReplyCount replyCount scheduleCount negaitveReplyCount
  flag enabled isReply
  one creator:user sequenceStep template updater:user
templates template
  filter updatedAt createdAt
  sort updatedAt createdAt
  time archivedAt createdAt lastUsedAt updatedAt
  text bodyHtml bodyText name shareType subject
  whole bounceCount clickCount deliverCount failureCount negativeReplyCount neutralReplyCount openCount
  whole optOutCount positiveReplyCount replyCount scheduleCount
  flag archived trackLinks trackOpens
  texts bccRecipients ccRecipients tags toRecipients
  one creator:user owner:user updater:user
  many contentCategoryMemberships:contentCategoryMembership recipients:recipient
  many sequenceTemplates:sequenceTemplate
snippets snippet
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text bodyHtml bodyText name shareType
  texts tags
  one creator:user owner:user updater:user
  many contentCategoryMemberships:contentCategoryMembership
rulesets ruleset
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text callOptOutAction emailOptOutAction meetingBookedAction name permitDuplicateProspects
  text sequenceExclusivity smsOptOutAction smsReceivedAction
  whole applyCompletedStageIn autoResumeOotoProspectsExpiresIn autoResumeOotoProspectsIn
  whole clicksNeededBeforeCallTaskCreated minimumProspectTouchedInterval opensNeededBeforeCallTaskCreated
  flag autoResumeOotoProspects includeUnsubscribeLinks ootoAutoExtractionEnabled stepOverridesEnabled
  one bouncedStage:stage callTaskPriority:taskPriority callTaskPriorityFromClicks:taskPriority
  one callTaskPriorityFromOpens:taskPriority completedStage:stage deliveredStage:stage finishedStage:stage
  one optedOutStage:stage owner:user repliedStage:stage startedStage:stage
  link sequences
stages stage
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text color name
  whole order
  one creator:user updater:user
  link prospects
opportunity_stages opportunityStage
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text color name
  whole order
  flag isClosed
  one creator:user
  link opportunities
call_dispositions callDisposition
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text name outcome
  whole order
  flag defaultForOutboundVoicemail
  one creator:user
  link calls
call_purposes callPurpose
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text name
  whole order
  one creator:user
  link calls
task_dispositions taskDisposition
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text name taskType value
  whole order
  one creator:user
  link tasks
task_priorities taskPriority
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text name
  whole color weight
  link sequenceSteps tasks
task_purposes taskPurpose
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text name taskType
  whole order
  one creator:user
  link tasks
content_categories contentCategory
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text color name
  flag allowSequences allowSnippets allowTemplates
  one creator:user
content_category_memberships contentCategoryMembership
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  one content:sequence|snippet|template contentCategory creator:user
content_category_ownerships contentCategoryOwnership
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  one contentCategory creator:user owner:team
webhooks webhook
  time createdAt disabledSince disabledUntil updatedAt
  text action disabledReason resource secret url
  whole payloadVersion
  flag active
  one authorizer:user creator:user updater:user
"""
