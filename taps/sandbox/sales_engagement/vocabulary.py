"""The words that fields of few values hold, and the names of what an administrator sets up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: By `collection.field`, or by field where all collections mean the same; None stands for no value.
WORDS: Mapping[str, Sequence[str | None]] = {
    "action": ("call", "email", "action_item", "in_person"),
    "annualRevenueRange": ("$1M-$10M", "$10M-$50M", "$50M-$100M", None),
    "audit_logs.action": ("create", "update", "delete", "read", None),
    "audit_logs.result": ("success", "failure"),
    "batches.action": ("addToSequence", "changeOwner", "tagAll"),
    "batches.state": ("finished", "started", "pending", "canceled"),
    "batch_items.state": ("finished", "failed", "pending"),
    "call_dispositions.outcome": ("Answered", "Not Answered"),
    "calls.direction": ("outbound", "outbound", "inbound"),
    "calls.outcome": ("Answered", "No Answer", None),
    "calls.sequenceAction": ("advance", "finish", None),
    "calls.state": ("completed", "no_answer", "busy", "canceled"),
    "calls.userCallType": ("voip", "bridge", None),
    "classification": ("hardware", "service", "dienst", None),
    "color": ("#3f51b5", "#e91e63", "#00897b", "#ffb300"),
    "companyType": ("private", "public", "gGmbH", "非営利", None),
    "compliance_requests.requestType": ("Delete", "Access"),
    "compliance_requests.objectType": ("Recipient", "Prospect"),
    "compliance_requests.state": ("done", "pending"),
    "currency": ("EUR", "USD", "JPY", "KWD"),
    "currencyType": ("EUR", "USD", "JPY", "KWD"),
    "duties.dutyType": ("role", "seat"),
    "emailType": ("work", "personal", None),
    "email_addresses.status": ("verified", "bounced", "unverified", None),
    "events.name": (
        "outbound_message_opened",
        "outbound_message_clicked",
        "prospect_created",
        "inbound_call",
        "task_completed",
    ),
    "favorites.targetType": ("Sequence", "Template", "Prospect"),
    "followUpTaskType": ("follow_up", "no_reply", None),
    "forecastCategory": ("Commit", "Best case", "Pipeline", None),
    "gender": ("female", "male", "diverse", None),
    "healthCategory": ("healthy", "at_risk", None),
    "industry": ("Retail", "Food & Beverage", "Automotive", "Média", "物流", None),
    "kaia_recordings.format": ("mp4", "mp3"),
    "kaia_recordings.provider": ("zoom", "teams", "webex"),
    "kaia_recordings.state": ("completed", "recording", "failed"),
    "leadSource": ("Web", "Trade fair", "Empfehlung", None),
    "mailingType": ("sequence", "single", "campaign"),
    "mailings.state": ("delivered", "opened", "replied", "bounced", "scheduled", "failed"),
    "noteType": ("call", "meeting", "other", None),
    "opportunityType": ("New business", "Renewal", None),
    "opportunity_prospect_roles.role": ("Decision maker", "Champion", "Évaluateur", None),
    "phoneType": ("mobile", "work", "home", "voip", None),
    "phone_numbers.status": ("good", "bad", None),
    "primaryReplyAction": ("finish", "pause", "continue"),
    "prospects.updaterType": ("User", "Import"),
    "recipientType": ("to", "cc", "bcc"),
    "region": ("EMEA", "Americas", "アジア", None),
    "scheduleIntervalType": ("calendar", "schedule"),
    "secondaryReplyAction": ("finish", "pause"),
    "sequence_states.state": ("active", "paused", "finished", "bounced", "failed", "opted_out"),
    "sequenceType": ("interval", "date"),
    "shareType": ("private", "read_only", "shared"),
    "source": ("Import", "API", "Handelsregister", None),
    "stepType": ("auto_email", "manual_email", "call", "task"),
    "tasks.action": ("call", "email", "action_item", "in_person"),
    "tasks.state": ("pending", "incomplete", "complete"),
    "taskType": ("manual", "follow_up", "sequence_step_call", "no_reply"),
    "timeZone": ("Europe/Berlin", "America/New_York", "Asia/Tokyo", None),
    "timeZoneIana": ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", None),
    "timeZoneInferred": ("Europe/Warsaw", "Asia/Seoul", None),
    "primaryTimezone": ("Europe/Berlin", "Africa/Nairobi"),
    "unitOfMeasure": ("piece", "month", "kg", None),
    "users.inboundCallBehavior": ("twilio_only", "inbound_bridge_line"),
    "users.controlledTabDefault": ("none", "team"),
    "webhooks.action": ("created", "updated", "destroyed", "*"),
    "webhooks.resource": ("prospect", "account", "call"),
}

#: What the small collections' records are called, one after the other.
NAMES: Mapping[str, Sequence[str]] = {
    "call_dispositions": ("Reached", "Left a message", "Wrong number", "Kein Anschluss", "後で電話"),
    "call_purposes": ("First contact", "Follow-up", "Verlängerung", "Demo"),
    "content_categories": ("Onboarding", "Renewals", "Événements", "製品"),
    "opportunity_stages": ("Discovery", "Proposal", "Verhandlung", "Won 🎉", "Lost"),
    "personas": ("Buyer", "IT lead", "Geschäftsführung", "CFO & board"),
    "products": ("Seat licence", "Support “Gold”", "Schulung", "年間プラン"),
    "profiles": ("Administrator", "Manager", "Default", "Lecture seule"),
    "roles": ("Head of sales", "Account executive", "Vertriebsinnendienst", "SDR"),
    "rulesets": ("Default", "Careful", "Nur werktags", "Fast lane"),
    "stages": ("New", "Contacted", "In Bearbeitung", "Ne pas contacter", "成約"),
    "task_dispositions": ("Done", "Skipped", "Zurückgestellt", "Not needed"),
    "task_priorities": ("Low", "Normal", "Hoch", "Urgent 🔥"),
    "task_purposes": ("Research", "Reminder", "Geschenk", "挨拶"),
    "teams": ("North", "South", "Großkunden", "パートナー"),
}
#: The names of larger collections' records are put together from one of these and a number.
TITLES: Mapping[str, Sequence[str]] = {
    "opportunities": ("Renewal", "Expansion", "Neugeschäft", "Pilot «Été»", "新規案件"),
    "sequences": ("First touch", "Win back", "Messe-Nachfassen", "Relance", "紹介"),
    "snippets": ("Greeting", "Address", "Terminvorschlag", "Signature"),
    "templates": ("Introduction", "Follow-up", "Angebot", "Merci !", "お礼"),
}
EVENT_BODIES = ("Opened on a phone", "Clicked the second link", "Zugestellt", None)
