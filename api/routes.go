package api

import (
	"net/http"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	get   = http.MethodGet
	post  = http.MethodPost
	patch = http.MethodPatch
	put   = http.MethodPut
	del   = http.MethodDelete
)

// route is an entry of the table below. Its path is relative to prefix.
type route struct {
	method, path string
	access       page.Access
	id           string // operation ID
	summary      string
	answer       answerKind
	bind         binder
}

// answerKind determines the statuses of a route's successful responses.
type answerKind int

const (
	result  answerKind = iota + 1 // 200, with the handler's result
	created                       // 201
	decided                       // a command: 200 with the ticket's new state, or 202 if it was not decided in time
)

// routes returns every route of the API except /healthz, /readyz and the OpenAPI document.
func routes() []route { return append(fixedRoutes(), commandRoutes()...) }

// fixedRoutes returns every route except those that commandRoutes derives from the registry of verbs.
func fixedRoutes() []route {
	return []route{
		{post, "/tickets", customers.For(ticket.VerbSubmit), "submit-ticket", "Submit a ticket", created, on((*server).submit)},
		{get, "/tickets", signedIn, "list-tickets", "List tickets: one's own, or the desk's for staff", result, on((*server).list)},
		{get, "/tickets/{number}", signedIn, "read-ticket", "Read a ticket with its clocks", result, on((*server).read)},
		{get, "/tickets/{number}/timeline", signedIn, "read-timeline", "Read what happened to a ticket", result, on((*server).timeline)},

		{post, "/tickets/{number}/rating", customers, "rate-ticket", "Rate how one was helped, once the ticket is resolved", result, on((*server).rate)},

		{get, "/reports/promises", supervisors, "report-promises", "Promises kept and broken, by week, priority, category and agent", result, on((*server).reportPromises)},

		{get, "/away", colleagues, "list-staff", "Who works here, who is away, and what each has in hand", result, on((*server).colleagues)},
		{post, "/away", colleagues, "mark-away", "Leave the desk for a while, or come back to it", result, on((*server).setAway)},
		{get, "/groups", supervisors, "list-groups", "Groups that assignment rules give tickets to, with their members", result, on((*server).groups)},
		{post, "/groups", supervisors, "make-group", "Make a group", created, on((*server).makeGroup)},
		{patch, "/groups/{group}", supervisors, "rename-group", "Give a group another title", result, on((*server).renameGroup)},
		{del, "/groups/{group}", supervisors, "delete-group", "Delete a group", result, on((*server).deleteGroup)},
		{put, "/groups/{group}/members/{agent}", supervisors, "join-group", "Add an agent to a group", result, on((*server).joinGroup)},
		{del, "/groups/{group}/members/{agent}", supervisors, "leave-group", "Remove an agent from a group", result, on((*server).leaveGroup)},
		{post, "/emergencies", supervisors, "declare-emergency", "Declare an emergency, now or planned", created, on((*server).declare)},
		{post, "/emergencies/dry-run", supervisors, "rehearse-emergency", "What declaring one would do", result, on((*server).dryRunDeclaration)},
		{get, "/emergencies", supervisors, "list-emergencies", "Every emergency, the one declared last first", result, on((*server).listEmergencies)},
		{get, "/emergencies/current", supervisors, "current-emergencies", "Emergencies in force and planned, and how far tickets know of them", result, on((*server).currentEmergencies)},
		{get, "/emergencies/{id}", supervisors, "read-emergency", "An emergency with everything that was done to it", result, on((*server).readEmergency)},
		{patch, "/emergencies/{id}", supervisors, "change-emergency", "Extend, shorten, move or reword one", result, on((*server).changeEmergency)},
		{del, "/emergencies/{id}", supervisors, "end-emergency", "Lift one that is in force, cancel one that is planned", result, on((*server).endEmergency)},
		{post, "/emergencies/{id}/dry-run", supervisors, "rehearse-change", "What changing or ending one would do", result, on((*server).dryRunChange)},

		{get, "/track/{number}", anyone, "track-ticket", "Status and promises of a ticket, by its number alone", result, on((*server).track)},
		{get, "/notice", anyone, "read-notices", "What is to be said of emergencies, in force and planned", result, on((*server).notices)},
		{get, "/policy", optionalSignIn, "read-policy", "The policy in force", result, on((*server).policy)},
		{get, "/policies", optionalSignIn, "list-policies", "Every published version, the newest first", result, on((*server).listPolicies)},
		{get, "/policies/{version}", optionalSignIn, "read-policy-version", "A published version, and what it says otherwise than the one before", result, on((*server).policyVersion)},
		{post, "/policies", supervisors, "publish-policy", "Publish a document as the next version, for good", created, on((*server).publishPolicy)},
		{post, "/policies/check", supervisors, "check-policy", "What a document would mean, beside the policy in force", result, on((*server).checkPolicy)},
		{post, "/policies/{version}/adoption/dry-run", supervisors, "rehearse-adoption", "What moving open tickets to a version would do", result, on((*server).dryRunAdoption)},
		{post, "/policies/{version}/adoption", supervisors, "adopt-policy", "Move open tickets to a version", result, on((*server).adoptPolicy)},
		{get, "/policies/{version}/adoption", supervisors, "read-adoption", "Who moved which tickets to a version", result, on((*server).readAdoption)},
	}
}
