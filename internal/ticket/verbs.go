package ticket

// The fields that verbs share.
var (
	fieldBody = Field{
		Name: "body", Kind: FieldWords, Source: FromRequest, Required: FromRequest, Doc: "Plain text, 1 to 65536 bytes.",
	}
	fieldSeen = Field{
		Name: "seen", Kind: FieldEntry, Source: FromRequest,
		Doc: "The number of the last entry of the timeline that you had in front of you. If somebody else wrote after it what you may read, the command is refused with the code unseen-messages, and unseen names those entries. Without it nothing is refused for that.",
	}
	fieldEmergencyName = Field{Name: fieldEmergency, Kind: FieldLine, Source: FromSignal}
)

// panelOnlyHelp is the help for verbs that are refused as manual commands.
const panelOnlyHelp = "Needs words, its requester or a mail to choose, and so is refused by hand: use the panel."

// reply returns the operation with which requester and staff reply.
func reply(by []Role) []Operation {
	return []Operation{{ID: "reply", Path: "replies", Summary: "Reply, as the requester or as the desk", For: by}}
}

// definitions is the registry of verbs, in the order in which Definitions lists them.
var definitions = []Definition{
	{
		Verb: VerbSubmit, Label: "Submit", Done: "The ticket is submitted.",
		Roles: requester, Statuses: []Status{""}, decide: (*decider).submit,
	},
	{
		Verb: VerbAssign, Label: "Assign", Done: "The ticket is yours.", Bulk: "assigned",
		Roles: staffOrOperator, Statuses: unclosed, decide: (*decider).assign,
		Fields: []Field{
			{
				Name: fieldAgent, Kind: FieldLine, Source: FromBoth, Required: FromSignal,
				Doc: "A handle or an ID; without it oneself.", Done: "The ticket is assigned to %s.",
			},
			{
				Name: "expected", Kind: FieldLine, Source: FromRequest,
				Doc: "Who has the ticket, as far as you know: a handle or an ID, empty for nobody. When somebody else has it by then, the command is refused with the code taken.",
			},
		},
		Operations: []Operation{{ID: "assign-ticket", Path: "assignment", Summary: "Assign a ticket, to oneself or to an agent", For: staff}},
		Manual:     `Gives the ticket to an agent, by handle: {"agent": "agent-1"}`,
	},
	{
		Verb: VerbCustomerReply, Label: "Reply", Done: "Your reply is with us.",
		Roles: requester, Statuses: unclosed, Fields: []Field{fieldBody, fieldSeen}, decide: (*decider).customerReply,
		Operations: reply(requester),
	},
	{
		Verb: VerbAgentReply, Label: "Reply", Done: "The reply is sent.",
		Roles: staff, Statuses: unclosed, Fields: []Field{fieldBody, fieldSeen}, decide: (*decider).agentReply,
		Operations: reply(staff),
	},
	{
		Verb: VerbRequestInformation, Label: "Request information", Done: "The ticket waits for the requester.",
		Roles: staff, Statuses: unresolved, Fields: []Field{fieldBody, fieldSeen}, decide: (*decider).requestInformation,
		Operations: []Operation{{ID: "request-information", Path: "information-requests", Summary: "Ask the requester for something; the ticket waits", For: staff}},
	},
	{
		Verb: VerbProgressUpdate, Label: "Progress update", Done: "The progress is told.",
		Roles: staff, Statuses: unresolved, Fields: []Field{fieldBody, fieldSeen}, decide: (*decider).progressUpdate,
		Operations: []Operation{{ID: "update-progress", Path: "progress", Summary: "Tell the requester how far things are", For: staff}},
	},
	{
		Verb: VerbNote, Label: "Internal note", Done: "The note is kept.",
		Roles: staff, Statuses: unclosed, Fields: []Field{fieldBody}, Internal: true, decide: (*decider).note,
		Operations: []Operation{{ID: "add-note", Path: "notes", Summary: "Leave a note that only staff see", For: staff}},
	},
	{
		Verb: VerbReclassify, Label: "Reclassify", Done: "The ticket is reclassified.", Bulk: "reclassified",
		Roles: staffOrOperator, Statuses: unclosed, decide: (*decider).reclassify,
		Fields: []Field{
			{Name: fieldPriority, Kind: FieldPriority, Source: FromBoth},
			{Name: fieldCategory, Kind: FieldLine, Source: FromBoth, Doc: "One of the policy's that the ticket keeps."},
		},
		OneOf:      []string{fieldPriority, fieldCategory},
		Operations: []Operation{{ID: "reclassify-ticket", Path: "classification", Summary: "Change priority or category", For: staff, Patch: true}},
		Manual:     `Changes priority or category, and with the priority the targets: {"priority": "high"}, {"category": "order"}`,
	},
	{
		Verb: VerbResolve, Label: "Reply and resolve", Done: "The ticket is resolved.",
		Roles: staffOrOperator, Statuses: unresolved, Fields: []Field{fieldBody, fieldSeen}, decide: (*decider).resolve,
		Operations: []Operation{{ID: "resolve-ticket", Path: "resolution", Summary: "Resolve a ticket with a public answer", For: staff}},
		Manual:     "Resolves the ticket, without words. No input.",
	},
	{
		Verb: VerbClose, Label: "Close", Done: "The ticket is closed.", Bulk: "closed",
		Roles: anyone, Statuses: unclosed, Fields: []Field{fieldSeen}, decide: (*decider).close,
		Operations: []Operation{
			{ID: "close-ticket", Path: "closure", Summary: "Close a ticket for good", For: staff},
			{
				ID: "confirm-resolution", Path: "confirmation", Summary: "Confirm the resolution, which closes the ticket",
				Done: "Thank you. The ticket is closed.", For: requester,
			},
		},
		Manual: "Closes the ticket for good. No input.",
	},
	{
		Verb: VerbReopen, Label: "Reopen", Done: "The ticket is open again.",
		Roles: staffOrOperator, Statuses: idle, decide: (*decider).reopen,
		Operations: []Operation{{ID: "reopen-ticket", Path: "reopening", Summary: "Open a waiting or resolved ticket again", For: staff}},
		Manual:     "Opens a waiting or resolved ticket again. No input.",
	},
	{
		Verb: VerbWithdraw, Label: "Withdraw", Done: "You have taken the ticket back, and it is closed.",
		Roles: requester, Statuses: unclosed, Fields: []Field{fieldSeen}, decide: (*decider).withdraw,
		Operations: []Operation{{ID: "withdraw-ticket", Path: "withdrawal", Summary: "Take a ticket back", For: requester}},
	},
	{
		Verb: VerbAcknowledge, Label: "Acknowledge", Done: "The escalation is acknowledged.",
		Roles: staffOrOperator, Statuses: unclosed, Internal: true, decide: (*decider).acknowledge,
		Fields:     []Field{{Name: "reason", Kind: FieldWords, Source: FromRequest, Doc: "Plain text for staff, up to 65536 bytes."}},
		Operations: []Operation{{ID: "acknowledge-escalation", Path: "acknowledgement", Summary: "Take note of an escalation, which ends it", For: staff}},
		Manual:     "Stops the escalation. No input.",
	},
	{
		Verb: VerbEmergencyPause, Label: "Pause for an emergency", Done: "The clocks are stopped.",
		Roles: supervisors, Statuses: unclosed, Fields: []Field{fieldEmergencyName}, decide: (*decider).emergencyPause,
		Manual: `Stops both clocks of this one ticket. No input, or a name: {"emergency": "flood"}`,
	},
	{
		Verb: VerbEmergencyExtend, Label: "Extend for an emergency", Done: "The targets are extended.",
		Roles: supervisors, Statuses: unclosed, decide: (*decider).emergencyExtend,
		Fields: []Field{fieldEmergencyName, {Name: fieldSeconds, Kind: FieldNumber, Source: FromSignal, Required: FromSignal}},
		Manual: `Lengthens both targets of this one ticket: {"seconds": 86400}`,
	},
	{
		Verb: VerbEmergencyResume, Label: "Resume after an emergency", Done: "The clocks run again.",
		Roles: supervisors, Statuses: unclosed, Fields: []Field{fieldEmergencyName}, decide: (*decider).emergencyResume,
		Manual: "Lets the clocks run that emergency-pause stopped. No input.",
	},
	{
		Verb: VerbAdoptPolicy, Label: "Move to a policy version", Done: "The ticket has moved to that version of the policy.",
		Roles: supervisors, Statuses: unclosed, decide: (*decider).adoptPolicy,
		Fields: []Field{{Name: fieldPolicy, Kind: FieldNumber, Source: FromSignal, Required: FromSignal}},
		Manual: `Moves the ticket to a published version of the policy: {"policy": 2}`,
	},
	{
		Verb: VerbSnooze, Label: "Snooze", Done: "The ticket is snoozed.",
		Roles: staffOrOperator, Statuses: unclosed, decide: (*decider).snooze,
		Fields: []Field{{
			Name: fieldUntil, Kind: FieldInstant, Source: FromBoth, Required: FromBoth,
			Doc: "When the ticket comes back to the agents' lists, unless its requester writes before: in the future, a year ahead at most.",
		}},
		Operations: []Operation{{ID: "snooze-ticket", Path: "snooze", Summary: "Let a ticket sleep until an instant, or until its requester writes", For: staff}},
		Manual:     `Takes the ticket out of the agents' lists until an instant, while its promises go on: {"until": "2026-12-03T09:00:00Z"}`,
	},
	{
		Verb: VerbWake, Label: "Wake", Done: "The ticket is awake.",
		Roles: staffOrOperator, Statuses: unclosed, decide: (*decider).wake,
		Operations: []Operation{{ID: "wake-ticket", Path: "waking", Summary: "Wake a ticket that is snoozed", For: staff}},
		Manual:     "Brings a snoozed ticket back to the agents' lists. No input.",
	},
	{
		Verb: VerbResend, Label: "Send again", Done: "The mail is sent again.",
		Roles: staff, Statuses: anyStatus, decide: (*decider).resend,
		Fields: []Field{
			{Name: "mail", Kind: FieldMail, Source: FromRequest, Required: FromRequest},
			{
				Name: "address", Kind: FieldAddress, Source: FromRequest, Done: "The mail is sent again, to %s.",
				Doc: "Where to, instead of the address of the requester's account, which stays as it is: it is how they sign in. For the requester's mails only.",
			},
		},
		Operations: []Operation{{ID: "resend-mail", Path: "resend", Summary: "Send a mail that could not be delivered again, as a new one", For: staff}},
	},
}
