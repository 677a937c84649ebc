"""People, the firms they work for and how they are reached: their fields, in the form that `streams` reads."""

TABLE = """
accounts account
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt foundedAt touchedAt updatedAt trashedAt
  text annualRevenueRange companyType customId description domain externalSource industry linkedInUrl
  text locality name naturalName sharingTeamId tickerSymbol
  url websiteUrl
  whole followers linkedInEmployees numberOfEmployees
  number buyerIntentScore
  flag named
  texts naicsCodes sicCodes tags
  wholes assignedUsers assignedTeams batches defaultPluginMapping favorites
  custom 150
  one creator:user owner:user updater:user
  link prospects purchases tasks
prospects prospect
  filter updatedAt createdAt
  sort updatedAt createdAt
  time addedAt availableAt callsOptedAt createdAt emailsOptedAt engagedAt optedOutAt touchedAt trashedAt
  time updatedAt
  day_or_time dateOfBirth graduationDate jobStartDate
  text addressCity addressCountry addressState addressStreet addressStreet2 addressZip angelListUrl
  text callsOptStatus campaignName company degree emailsOptStatus eventName externalId externalOwner
  text externalSource firstName gender githubUsername lastName linkedInId linkedInSlug middleName name
  text nickname occupation personalNote1 personalNote2 preferredContact quoraUrl region school sharingTeamId
  text source specialties stackOverflowId timeZone timeZoneIana timeZoneInferred title twitterUsername
  text accountName companyFoundedAt companyIndustry companyLinkedIn companyLinkedInEmployees companyLocality
  text companyNatural companyStartDate companyType smsOptStatus smsOptedAt stageName updaterType
  url facebookUrl githubUrl googlePlusUrl linkedInUrl stackOverflowUrl twitterUrl websiteUrl1 websiteUrl2
  url websiteUrl3
  whole clickCount linkedInConnections openCount replyCount companyFollowers companySize updaterId
  number engagedScore score
  flag callOptedOut emailOptedOut optedOut smsOptedOut
  texts emails homePhones mobilePhones otherPhones tags voipPhones workPhones
  wholes assignedUsers assignedTeams defaultPluginMapping trashedByAccount
  grid contactHistogram
  objects emailContacts
  none personaName
  custom 150
  one account creator:user owner:user persona stage updater:user
  many activeSequenceStates:sequenceState emailAddresses:emailAddress favorites:favorite
  many opportunities:opportunity opportunityProspectRoles:opportunityProspectRole phoneNumbers:phoneNumber
  link batches calls mailings sequenceStates tasks
users user
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt currentSignInAt lastSignInAt passwordExpiresAt updatedAt dutiesSetAt onboardedAt
  text bridgePhone bridgePhoneExtension controlledTabDefault firstName inboundBridgePhone
  text inboundBridgePhoneExtension inboundCallBehavior inboundPhoneType inboundVoicemailCustomMessageText
  text inboundVoicemailMessageTextVoice inboundVoicemailPromptType jobRoleByName lastName name
  text oceGmailTrackingState phoneCountryCode phoneNumber phoneType preferredVoiceRegion scimExternalId
  text scimSource title username buyerLanguagePreference languagePreference primaryTimezone
  text prospectDetailDefault secondaryTimezone tertiaryTimezone
  email email
  uuid userGuid globalId
  whole accountsViewId callsViewId defaultRulesetId kaiaRecordingsViewId opportunitiesViewId prospectsViewId
  whole reportsTeamPerfViewId reportsViewId tasksViewId teamsViewId usersViewId activeProspectsCount
  whole batchesViewId calendarEventsViewId defaultScheduleId liveListenViewId mailingsDeliveredCount
  whole mailingsRepliedCount mailingsViewId meetingTypesViewId phonesViewId reportsSequencePerformanceViewId
  whole reportsTeamPerformanceIntradayViewId reportsTeamPerformanceViewId sequenceStatesViewId
  whole sequencesViewId snippetsViewId tasksDueCount templatesViewId
  flag activityNotificationsDisabled bounceWarningEmailEnabled dailyDigestEmailEnabled enableVoiceRecordings
  flag engagementEmailsEnabled keepBridgePhoneConnected locked mailboxErrorEmailEnabled
  flag meetingEngagementNotificationEnabled notificationsEnabled oceClickToDialEverywhere oceGmailToolbar
  flag oceSalesforceEmailDecorating oceSalesforcePhoneDecorating oceUniversalTaskFlow oceWindowMode
  flag pluginAlertNotificationEnabled prefersLocalPresence senderNotificationsExcluded
  flag textingEmailNotifications unknownReplyEmailEnabled voicemailNotificationEnabled
  flag weeklyDigestEmailEnabled jobTitleExtractionNotificationEnabled! linkToSequenceStateInTaskFlow
  flag orcaStandaloneEnabled sendInviteFallback useSalesNavigatorForLinkedInTasks
  wholes calendar contentCategoryOwnerships favorites jobRole outboundVoicemails phone phones smsPhone
  wholes voicemailPrompts
  objects duties
  none importsViewId
  custom 5
  one creator:user mailbox profile role updater:user
  many contentCategories:contentCategory mailboxes:mailbox recipients:recipient teams:team
  link batches
email_addresses emailAddress
  filter updatedAt
  sort updatedAt
  time createdAt statusChangedAt unsubscribedAt updatedAt
  text emailType status
  email email
  whole order
  none bouncedAt
  one prospect
phone_numbers phoneNumber
  filter updatedAt
  sort updatedAt
  time createdAt statusChangedAt updatedAt
  text countryCode extension number phoneType rawNumber status
  whole order
  one prospect
mailboxes mailbox
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt sendErroredAt sendSuccessAt syncErroredAt syncFinishedAt syncSuccessAt updatedAt
  time sendPermanentErrorAt syncPermanentErrorAt
  text email emailHash emailProvider emailSignature ewsEndpoint exchangeVersion imapHost optOutMessage
  text optOutSignature password providerType sendMethod sendgridApiKey smtpHost smtpPassword smtpUsername
  text syncMethod username
  url sendgridWebhookUrl
  whole authId ewsSslVerifyMode imapPort maxEmailsPerDay maxMailingsPerDay maxMailingsPerWeek providerId
  whole sendMaxRetries sendPeriod sendThreshold smtpPort syncActiveFrequency syncPassiveFrequency userId
  flag editable imapSsl sendDisabled sendRequiresSync smtpSsl syncDisabled syncOutreachFolder validateSend
  flag validateSync ewsCustomSearchFolder ewsDelegateSync ewsImpersonation
  texts prospectEmailExclusions
  none deleteQueuedAt
  one creator:user updater:user user
  link mailAliases mailings
mail_aliases mailAlias
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text email emailHash
  flag canSend
  one mailbox
recipients recipient
  time createdAt updatedAt
  text emailHash recipientType value
  flag primary
  one prospect user
teams team
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text color name scimExternalId scimSource
  one creator:user updater:user
  many contentCategories:contentCategory users:user
  link batches
roles role
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text externalId name
  one parentRole:role
profiles profile
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text name specialId
  flag isAdmin
personas persona
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text description name
  link prospects
duties duty
  text dutyType symbolicName
favorites favorite
  filter updatedAt createdAt
  sort updatedAt createdAt
  time createdAt updatedAt
  text targetType
  whole targetId
  one creator:user user
account_notes accountNote
  filter createdAt
  sort createdAt
  time createdAt
  text message noteType opportunityAssociationRule
  flag pinned
  one account creator:user
prospect_notes prospectNote
  filter createdAt
  sort createdAt
  time createdAt
  text message noteType opportunityAssociationRule
  flag pinned
  one creator:user prospect
"""
