package supervision

import "github.com/holesalemart/supportdesk/api/page"

// routes lists all routes of these pages, which are for supervisors and administrators only.
func (p *Pages) routes() []page.Route {
	who := page.Supervisors
	return []page.Route{
		page.Get("/supervision", who, p.dashboard),
		page.Get("/supervision/live", who, p.live),
		page.Get("/supervision/promises", who, p.promises),
		page.Get("/supervision/promises.csv", who, p.promisesFile),
		page.Get("/supervision/ratings", who, p.ratings),
		page.Get("/supervision/suggestions", who, p.suggestions),
		page.Post("/supervision/suggestions/:id/reading", who, p.readSuggestion),
		page.Get("/supervision/mail", who, p.mail),
		page.Get("/supervision/groups", who, p.groups),
		page.Post("/supervision/groups", who, p.makeGroup),
		page.Post("/supervision/groups/:group/title", who, p.renameGroup),
		page.Post("/supervision/groups/:group/members", who, p.joinGroup),
		page.Post("/supervision/groups/:group/deletion", who, p.deleteGroup),
		page.Get(emergenciesPath, who, p.listEmergencies),
		page.Post(emergenciesPath, who, p.declare),
		page.Get("/supervision/emergencies/new", who, p.newEmergency),
		page.Post("/supervision/emergencies/dry-run", who, p.dryRun),
		page.Get("/supervision/emergencies/:id", who, p.emergency),
		page.Post("/supervision/emergencies/:id", who, p.changeEmergency),
		page.Post("/supervision/emergencies/:id/dry-run", who, p.dryRunChange),
		page.Get(policiesPath, who, p.policies),
		page.Get("/supervision/policies/new", who, p.newPolicy),
		page.Post("/supervision/policies/new", who, p.draftPolicy),
		page.Post("/supervision/policies/new/holidays", who, p.importHolidays),
		page.Get("/supervision/policies/:version", who, p.policyVersion),
		page.Post("/supervision/policies/:version/adoption", who, p.adoptPolicy),
	}
}
