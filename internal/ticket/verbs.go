package ticket

// The fields that verbs share.
var (
	fieldBody = Field{
		Name: "body", Kind: FieldMessage, Source: FromRequest, Required: FromRequest, Doc: "The message, in the format that format names, 1 to 65536 bytes.",
	}
	fieldFormat = Field{
		Name: "format", Kind: FieldFormat, Source: FromRequest, Doc: "What the message is written in. Default: text.",
	}
	fieldFiles = Field{
		Name: "files", Kind: FieldFiles, Source: FromRequest,
		Doc: "IDs of files that you have uploaded, in order, at most 10. A message of files needs no body.",
	}
	fieldSeen = Field{
		Name: "seen", Kind: FieldEntry, Source: FromRequest,
		Doc: "The number of the last timeline entry that you have seen. If someone else has written a message since that you may read, the command is refused with the code unseen-messages, and unseen lists those entries. Without this field, the check is skipped.",
	}
	fieldWhom = Field{
		Name: fieldPerson, Kind: FieldPerson, Source: FromRequest, Required: FromRequest,
		Doc: "An ID or an email address. An address that is unknown so far becomes a contact, who has no account until they register with it.",
	}
	fieldName       = Field{Name: "name", Kind: FieldLine, Source: FromRequest, Doc: "The name of a new contact. Default: the part of the address before the @."}
	fieldRecipients = Field{
		Name: fieldTo, Kind: FieldRecipients, Source: FromRequest,
		Doc: "Who sees the message and receives it by email. all: requester and participants; requester: the requester alone. For staff. Default: all.",
	}
	fieldEmergencyName = Field{Name: fieldEmergency, Kind: FieldLine, Source: FromSignal}
)

// panelOnlyHelp is the help for verbs that are refused as manual commands.
const panelOnlyHelp = "Needs a message, the choice of a person or of an email, or one of the ticket's customers, so it is refused as a manual command. Use the ticket's page."

// reply returns the operation with which requester and staff reply.
func reply(by []Role) []Operation {
	return []Operation{{ID: "reply", Path: "replies", Summary: "Reply, as the requester or as staff", For: by}}
}

// definitions is the registry of verbs, in the order in which Definitions lists them.
var definitions = []Definition{
	{
		Verb: VerbSubmit, Label: "Submit", Done: "Ticket submitted.",
		Roles: customersOrStaff, Statuses: []Status{""}, decide: (*decider).submit,
	},
	{
		Verb: VerbAssign, Label: "Assign", Done: "The ticket is assigned to you.", Bulk: "assigned",
		Roles: staffOrOperator, Statuses: unclosed, decide: (*decider).assign,
		Fields: []Field{
			{
				Name: fieldAgent, Kind: FieldLine, Source: FromBoth, Required: FromSignal,
				Doc: "A handle or an ID. Default: yourself.", Done: "The ticket is assigned to %s.",
			},
			{
				Name: "expected", Kind: FieldLine, Source: FromRequest,
				Doc: "The current assignee as far as you know: a handle or an ID, empty if unassigned. If someone else is the assignee by then, the command is refused with the code taken.",
			},
		},
		Operations: []Operation{{ID: "assign-ticket", Path: "assignment", Summary: "Assign a ticket, to oneself or to an agent", For: staff}},
		Manual:     `Assigns the ticket to an agent, by handle: {"agent": "agent-1"}`,
	},
	{
		Verb: VerbCustomerReply, Label: "Reply", Done: "Your reply was sent.",
		Roles: customers, Statuses: unclosed, Fields: []Field{fieldBody, fieldFormat, fieldFiles, fieldSeen}, decide: (*decider).customerReply,
		Operations: reply(customers),
	},
	{
		Verb: VerbAgentReply, Label: "Reply", Done: "Reply sent.",
		Roles: staff, Statuses: unclosed, Fields: []Field{fieldBody, fieldFormat, fieldFiles, fieldRecipients, fieldSeen}, decide: (*decider).agentReply,
		Operations: reply(staff),
	},
	{
		Verb: VerbRequestInformation, Label: "Request information", Done: "Request sent. The ticket is waiting for the requester.",
		Roles: staff, Statuses: unresolved, Fields: []Field{fieldBody, fieldFormat, fieldFiles, fieldRecipients, fieldSeen}, decide: (*decider).requestInformation,
		Operations: []Operation{{ID: "request-information", Path: "information-requests", Summary: "Request information from the requester; the ticket waits for their reply", For: staff}},
	},
	{
		Verb: VerbProgressUpdate, Label: "Progress update", Done: "Progress update sent.",
		Roles: staff, Statuses: unresolved, Fields: []Field{fieldBody, fieldFormat, fieldFiles, fieldRecipients, fieldSeen}, decide: (*decider).progressUpdate,
		Operations: []Operation{{ID: "update-progress", Path: "progress", Summary: "Send the requester a progress update", For: staff}},
	},
	{
		Verb: VerbNote, Label: "Internal note", Done: "Note added.",
		Roles: staff, Statuses: unclosed, Fields: []Field{fieldBody, fieldFormat, fieldFiles}, Internal: true, decide: (*decider).note,
		Operations: []Operation{{ID: "add-note", Path: "notes", Summary: "Add a note that only staff can see", For: staff}},
	},
	{
		Verb: VerbReclassify, Label: "Reclassify", Done: "Priority or category changed.", Bulk: "reclassified",
		Roles: staffOrOperator, Statuses: unclosed, decide: (*decider).reclassify,
		Fields: []Field{
			{Name: fieldPriority, Kind: FieldPriority, Source: FromBoth},
			{Name: fieldCategory, Kind: FieldLine, Source: FromBoth, Doc: "A category of the policy version that the ticket is pinned to."},
		},
		OneOf:      []string{fieldPriority, fieldCategory},
		Operations: []Operation{{ID: "reclassify-ticket", Path: "classification", Summary: "Change priority or category", For: staff, Patch: true}},
		Manual:     `Changes priority or category, and with the priority the targets: {"priority": "high"}, {"category": "order"}`,
	},
	{
		Verb: VerbResolve, Label: "Reply and resolve", Done: "Ticket resolved.",
		Roles: staffOrOperator, Statuses: unresolved, Fields: []Field{fieldBody, fieldFormat, fieldFiles, fieldRecipients, fieldSeen}, decide: (*decider).resolve,
		Operations: []Operation{{ID: "resolve-ticket", Path: "resolution", Summary: "Resolve a ticket with a public reply", For: staff}},
		Manual:     "Resolves the ticket without a message. No input.",
	},
	{
		Verb: VerbClose, Label: "Close", Done: "Ticket closed.", Bulk: "closed", RequesterOnly: true,
		Roles: anyone, Statuses: unclosed, Fields: []Field{fieldSeen}, decide: (*decider).close,
		Operations: []Operation{
			{ID: "close-ticket", Path: "closure", Summary: "Close a ticket permanently", For: staff},
			{
				ID: "confirm-resolution", Path: "confirmation", Summary: "Confirm the resolution, which closes the ticket",
				Done: "Thank you. Your ticket is closed.", For: customers,
			},
		},
		Manual: "Closes the ticket permanently. No input.",
	},
	{
		Verb: VerbReopen, Label: "Reopen", Done: "Ticket reopened.",
		Roles: staffOrOperator, Statuses: idle, decide: (*decider).reopen,
		Operations: []Operation{{ID: "reopen-ticket", Path: "reopening", Summary: "Reopen a waiting or resolved ticket", For: staff}},
		Manual:     "Reopens a waiting or resolved ticket. No input.",
	},
	{
		Verb: VerbWithdraw, Label: "Withdraw", Done: "Ticket withdrawn. It is now closed.", RequesterOnly: true,
		Roles: customers, Statuses: unclosed, Fields: []Field{fieldSeen}, decide: (*decider).withdraw,
		Operations: []Operation{{ID: "withdraw-ticket", Path: "withdrawal", Summary: "Withdraw a ticket", For: customers}},
	},
	{
		Verb: VerbAcknowledge, Label: "Acknowledge", Done: "Escalation acknowledged.",
		Roles: staffOrOperator, Statuses: unclosed, Internal: true, decide: (*decider).acknowledge,
		Fields: []Field{
			{Name: "reason", Kind: FieldMessage, Source: FromRequest, Doc: "For staff, in the format that format names, up to 65536 bytes."}, fieldFormat,
		},
		Operations: []Operation{{ID: "acknowledge-escalation", Path: "acknowledgement", Summary: "Acknowledge an escalation, which stops it", For: staff}},
		Manual:     "Stops the escalation. No input.",
	},
	{
		Verb: VerbEmergencyPause, Label: "Pause for an emergency", Done: "Clocks paused.",
		Roles: supervisors, Statuses: unclosed, Fields: []Field{fieldEmergencyName}, decide: (*decider).emergencyPause,
		Manual: `Pauses both clocks of this ticket only. No input, or a name: {"emergency": "flood"}`,
	},
	{
		Verb: VerbEmergencyExtend, Label: "Extend for an emergency", Done: "Targets extended.",
		Roles: supervisors, Statuses: unclosed, decide: (*decider).emergencyExtend,
		Fields: []Field{fieldEmergencyName, {Name: fieldSeconds, Kind: FieldNumber, Source: FromSignal, Required: FromSignal}},
		Manual: `Extends both targets of this ticket only: {"seconds": 86400}`,
	},
	{
		Verb: VerbEmergencyResume, Label: "Resume after an emergency", Done: "Clocks resumed.",
		Roles: supervisors, Statuses: unclosed, Fields: []Field{fieldEmergencyName}, decide: (*decider).emergencyResume,
		Manual: "Resumes the clocks that emergency-pause paused. No input.",
	},
	{
		Verb: VerbAdoptPolicy, Label: "Move to a policy version", Done: "Ticket moved to that policy version.",
		Roles: supervisors, Statuses: unclosed, decide: (*decider).adoptPolicy,
		Fields: []Field{{Name: fieldPolicy, Kind: FieldNumber, Source: FromSignal, Required: FromSignal}},
		Manual: `Moves the ticket to a published policy version: {"policy": 2}`,
	},
	{
		Verb: VerbSnooze, Label: "Snooze", Done: "Ticket snoozed.", Bulk: "snoozed",
		Roles: staffOrOperator, Statuses: unclosed, decide: (*decider).snooze,
		Fields: []Field{{
			Name: fieldUntil, Kind: FieldInstant, Source: FromBoth, Required: FromBoth,
			Doc: "When the ticket returns to the agents' queues, unless the requester writes first. At most a year from now.",
		}},
		Operations: []Operation{{ID: "snooze-ticket", Path: "snooze", Summary: "Snooze a ticket until a given time, or until its requester writes", For: staff}},
		Manual:     `Hides the ticket from the agents' queues until a given time; clocks go on: {"until": "2026-12-03T09:00:00Z"}`,
	},
	{
		Verb: VerbWake, Label: "Wake", Done: "Snooze ended.",
		Roles: staffOrOperator, Statuses: unclosed, decide: (*decider).wake,
		Operations: []Operation{{ID: "wake-ticket", Path: "waking", Summary: "Wake a snoozed ticket", For: staff}},
		Manual:     "Returns a snoozed ticket to the agents' queues. No input.",
	},
	{
		Verb: VerbAddParticipant, Label: "Add a participant", Done: "Participant added.",
		Roles: staff, Statuses: unclosed, decide: (*decider).addParticipant,
		Fields:     []Field{fieldWhom, fieldName},
		Operations: []Operation{{ID: "add-participant", Path: "participants", Summary: "Add a participant, who may read the public messages and reply", For: staff}},
	},
	{
		Verb: VerbRemoveParticipant, Label: "Remove a participant", Done: "Participant removed.",
		Roles: staff, Statuses: anyStatus, decide: (*decider).removeParticipant,
		Fields:     []Field{{Name: fieldPerson, Kind: FieldPerson, Source: FromRequest, Required: FromRequest, Doc: "The ID or an email address of a participant."}},
		Operations: []Operation{{ID: "remove-participant", Path: "participant-removals", Summary: "Remove a participant, who can't see the ticket from then on", For: staff}},
	},
	{
		Verb: VerbChangeRequester, Label: "Change the requester", Done: "Requester changed.",
		Roles: staff, Statuses: unclosed, decide: (*decider).changeRequester,
		Fields:     []Field{fieldWhom, fieldName},
		Operations: []Operation{{ID: "change-requester", Path: "requester", Summary: "Make another person the requester; the former one stays as a participant", For: staff}},
	},
	{
		Verb: VerbLeave, Label: "Leave", Done: "You are no longer a participant of the ticket.",
		Roles: customers, Statuses: anyStatus, decide: (*decider).leave,
		Operations: []Operation{{ID: "leave-ticket", Path: "leaving", Summary: "Leave a ticket of which you are a participant", For: customers}},
	},
	{
		// Accepted only where an address is confirmed, for every ticket of the contact.
		Verb: VerbMergePerson, Label: "Merge a contact", Done: "Contact merged.",
		Roles: customersOrStaff, Statuses: anyStatus, decide: (*decider).mergePerson,
	},
	{
		Verb: VerbResend, Label: "Send again", Done: "Email queued to be sent again.",
		Roles: staff, Statuses: anyStatus, decide: (*decider).resend,
		Fields: []Field{
			{Name: "mail", Kind: FieldMail, Source: FromRequest, Required: FromRequest},
			{
				Name: "address", Kind: FieldAddress, Source: FromRequest, Done: "Email queued to be sent again, to %s.",
				Doc: "The address to use instead of that of the requester's account, which does not change. For emails to the requester only.",
			},
		},
		Operations: []Operation{{ID: "resend-mail", Path: "resend", Summary: "Send an undeliverable email again, as a new one", For: staff}},
	},
}
