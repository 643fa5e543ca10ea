package workflows

import "github.com/holesalemart/supportdesk/internal/ticket"

// byHand tells whoever is about to send a signal from Temporal UI what it does and what it takes.
func byHand(verb ticket.Verb) string {
	switch verb {
	case ticket.VerbAssign:
		return `Gives the ticket to an agent, by handle: {"agent": "agent-1"}`
	case ticket.VerbReclassify:
		return `Changes priority or category, and with the priority the targets: {"priority": "high"}, {"category": "order"}`
	case ticket.VerbResolve:
		return "Resolves the ticket, without words. No input."
	case ticket.VerbReopen:
		return "Opens a waiting or resolved ticket again. No input."
	case ticket.VerbClose:
		return "Closes the ticket for good. No input."
	case ticket.VerbAcknowledge:
		return "Stops the escalation. No input."
	case ticket.VerbEmergencyPause:
		return `Stops both clocks of this one ticket. No input, or a name: {"emergency": "flood"}`
	case ticket.VerbEmergencyResume:
		return "Lets the clocks run that emergency-pause stopped. No input."
	case ticket.VerbEmergencyExtend:
		return `Lengthens both targets of this one ticket: {"seconds": 86400}`
	case ticket.VerbAdoptPolicy:
		return `Moves the ticket to a published version of the policy: {"policy": 2}`
	case ticket.VerbResend:
		return "Sends a bounced mail again. Refused by hand: use the panel."
	default:
		return "Needs words or its requester, and so is refused by hand: use the panel."
	}
}
