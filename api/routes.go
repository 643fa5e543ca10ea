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
		{get, "/tickets", signedIn, "list-tickets", "List tickets: your own, or all of them for staff", result, on((*server).list)},
		{get, "/tickets/{number}", signedIn, "read-ticket", "Read a ticket with its clocks", result, on((*server).read)},
		{get, "/tickets/{number}/timeline", signedIn, "read-timeline", "Read a ticket's timeline", result, on((*server).timeline)},

		{post, "/tickets/{number}/rating", customers, "rate-ticket", "Rate the support you received, once the ticket is resolved", result, on((*server).rate)},

		{get, "/reports/promises", supervisors, "report-promises", "Report on targets met and breached, by week, priority, category and agent", result, on((*server).reportPromises)},

		{get, "/away", colleagues, "list-staff", "List the staff: who is away, and how many tickets each is assigned", result, on((*server).colleagues)},
		{post, "/away", colleagues, "mark-away", "Mark yourself or a colleague as away or back", result, on((*server).setAway)},
		{get, "/groups", supervisors, "list-groups", "List the groups that assignment rules assign tickets to, with their members", result, on((*server).groups)},
		{post, "/groups", supervisors, "make-group", "Create a group", created, on((*server).makeGroup)},
		{patch, "/groups/{group}", supervisors, "rename-group", "Rename a group", result, on((*server).renameGroup)},
		{del, "/groups/{group}", supervisors, "delete-group", "Delete a group", result, on((*server).deleteGroup)},
		{put, "/groups/{group}/members/{agent}", supervisors, "join-group", "Add an agent to a group", result, on((*server).joinGroup)},
		{del, "/groups/{group}/members/{agent}", supervisors, "leave-group", "Remove an agent from a group", result, on((*server).leaveGroup)},
		{post, "/emergencies", supervisors, "declare-emergency", "Declare an emergency, now or planned", created, on((*server).declare)},
		{post, "/emergencies/dry-run", supervisors, "rehearse-emergency", "Dry run of declaring an emergency", result, on((*server).dryRunDeclaration)},
		{get, "/emergencies", supervisors, "list-emergencies", "List all emergencies, the last declared first", result, on((*server).listEmergencies)},
		{get, "/emergencies/current", supervisors, "current-emergencies", "List emergencies in force and planned, with the progress of the fan-out", result, on((*server).currentEmergencies)},
		{get, "/emergencies/{id}", supervisors, "read-emergency", "Read an emergency with all its changes", result, on((*server).readEmergency)},
		{patch, "/emergencies/{id}", supervisors, "change-emergency", "Change an emergency's dates, notice or delay", result, on((*server).changeEmergency)},
		{del, "/emergencies/{id}", supervisors, "end-emergency", "Lift an emergency in force, or cancel a planned one", result, on((*server).endEmergency)},
		{post, "/emergencies/{id}/dry-run", supervisors, "rehearse-change", "Dry run of changing or ending an emergency", result, on((*server).dryRunChange)},

		{get, "/track/{number}", anyone, "track-ticket", "Read a ticket's status and deadlines by its number alone", result, on((*server).track)},
		{get, "/notice", anyone, "read-notices", "Read the notices of emergencies in force and planned", result, on((*server).notices)},
		{get, "/policy", optionalSignIn, "read-policy", "Read the policy in force", result, on((*server).policy)},
		{get, "/policies", optionalSignIn, "list-policies", "List all published policy versions, the newest first", result, on((*server).listPolicies)},
		{get, "/policies/{version}", optionalSignIn, "read-policy-version", "Read a policy version with its changes from the previous one", result, on((*server).policyVersion)},
		{post, "/policies", supervisors, "publish-policy", "Publish a document as the next policy version", created, on((*server).publishPolicy)},
		{post, "/policies/check", supervisors, "check-policy", "Check a document, and compare it with the policy in force", result, on((*server).checkPolicy)},
		{post, "/policies/{version}/adoption/dry-run", supervisors, "rehearse-adoption", "Dry run of moving open tickets to a policy version", result, on((*server).dryRunAdoption)},
		{post, "/policies/{version}/adoption", supervisors, "adopt-policy", "Move open tickets to a policy version", result, on((*server).adoptPolicy)},
		{get, "/policies/{version}/adoption", supervisors, "read-adoption", "Read which tickets were moved to a policy version, and by whom", result, on((*server).readAdoption)},
	}
}
