package app

import (
	"context"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Editor is a person who changes canned replies or saved filters. They may change their own, and with Shared also those
// that others share.
type Editor struct {
	Person ticket.PersonID
	Shared bool
}

func editor(by desk.Person) Editor { return Editor{Person: by.ID, Shared: by.Role.Commands()} }

// mayChange reports whether the person may change an item of author that is visible to them.
func (e Editor) mayChange(author desk.Ref) bool { return e.Shared || e.Person == author.ID }

// cannedStore holds canned replies.
type cannedStore interface {
	// Canned returns a person's own and all shared canned replies, by title.
	Canned(context.Context, ticket.PersonID) ([]desk.CannedReply, error)
	AddCanned(ctx context.Context, author ticket.PersonID, c desk.CannedReply) (id int64, err error)
	// UpdateCanned does not change the author. It returns a NotFound fault for one that the editor may not change.
	UpdateCanned(context.Context, Editor, desk.CannedReply) error
	// RemoveCanned returns the faults of UpdateCanned.
	RemoveCanned(context.Context, Editor, int64) error
}

// filterStore holds saved filters. Its methods correspond to those of cannedStore.
type filterStore interface {
	Filters(context.Context, ticket.PersonID) ([]desk.SavedFilter, error)
	AddFilter(ctx context.Context, author ticket.PersonID, f desk.SavedFilter) (id int64, err error)
	UpdateFilter(context.Context, Editor, desk.SavedFilter) error
	RemoveFilter(context.Context, Editor, int64) error
}

// staffView reads what only staff may see of tickets.
type staffView interface {
	QueueCounts(ctx context.Context, viewer desk.Person) (map[desk.Queue]int, error)
	History(context.Context, ticket.Number) (desk.History, error)
	Others(context.Context, ticket.Number) (newest []desk.TicketSummary, count int, err error)
	// Quarantined returns the number of incoming mails in quarantine, counted up to limit.
	Quarantined(ctx context.Context, limit int) (int, error)
}

type workspaceStore interface {
	cannedStore
	filterStore
	staffView
	// RecordPresence records that a person has a ticket open.
	RecordPresence(ctx context.Context, by ticket.PersonID, n ticket.Number, writing bool) error
	// CorrectContact changes the address of a contact. It returns a Conflict for a person with an account.
	CorrectContact(ctx context.Context, by desk.Person, id ticket.PersonID, address string) error
}

// Workspace provides what agents need beside commands: queues, histories of tickets, canned replies, saved filters. All
// methods return a Forbidden fault for customers.
type Workspace struct{ store workspaceStore }

// NewWorkspace returns Workspace over a store.
func NewWorkspace(s workspaceStore) *Workspace { return &Workspace{s} }

// CannedReplies returns the viewer's own and all shared canned replies, by title.
func (w *Workspace) CannedReplies(ctx context.Context, viewer desk.Person) ([]desk.CannedReply, error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return nil, err
	}
	all, err := w.store.Canned(ctx, viewer.ID)
	for i := range all {
		all[i].Yours = editor(viewer).mayChange(all[i].Author)
	}
	return all, err
}

// SaveCanned adds a canned reply if its ID is 0, and otherwise changes the one with the ID, but not its author. Supervisors
// may also change shared ones of others. It returns an Invalid fault that names the invalid fields, and NotFound for a canned
// reply that the person may not change.
func (w *Workspace) SaveCanned(ctx context.Context, by desk.Person, c desk.CannedReply) (id int64, err error) {
	if err := authorise(by, staffOnly); err != nil {
		return 0, err
	}
	c.Title = strings.TrimSpace(c.Title)
	if err := c.Check(); err != nil {
		return 0, err
	}
	if c.ID == 0 {
		return w.store.AddCanned(ctx, by.ID, c)
	}
	return c.ID, w.store.UpdateCanned(ctx, editor(by), c)
}

// DeleteCanned deletes a canned reply. It returns NotFound for one that the person may not change.
func (w *Workspace) DeleteCanned(ctx context.Context, by desk.Person, id int64) error {
	if err := authorise(by, staffOnly); err != nil {
		return err
	}
	return w.store.RemoveCanned(ctx, editor(by), id)
}

// SavedFilters returns the viewer's own and all shared filters, by name.
func (w *Workspace) SavedFilters(ctx context.Context, viewer desk.Person) ([]desk.SavedFilter, error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return nil, err
	}
	all, err := w.store.Filters(ctx, viewer.ID)
	for i := range all {
		all[i].Yours = editor(viewer).mayChange(all[i].Author)
	}
	return all, err
}

// SaveFilter adds or changes a saved filter, as SaveCanned does a canned reply, and returns the same faults.
func (w *Workspace) SaveFilter(ctx context.Context, by desk.Person, f desk.SavedFilter) (id int64, err error) {
	if err := authorise(by, staffOnly); err != nil {
		return 0, err
	}
	f.Name = strings.TrimSpace(f.Name)
	if err := f.Check(); err != nil {
		return 0, err
	}
	if f.ID == 0 {
		return w.store.AddFilter(ctx, by.ID, f)
	}
	return f.ID, w.store.UpdateFilter(ctx, editor(by), f)
}

// DeleteFilter deletes a saved filter. It returns NotFound for one that the person may not change.
func (w *Workspace) DeleteFilter(ctx context.Context, by desk.Person, id int64) error {
	if err := authorise(by, staffOnly); err != nil {
		return err
	}
	return w.store.RemoveFilter(ctx, editor(by), id)
}

// QueueCounts returns the number of tickets in each queue of the viewer, counted up to 1000.
func (w *Workspace) QueueCounts(ctx context.Context, viewer desk.Person) (map[desk.Queue]int, error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return nil, err
	}
	return w.store.QueueCounts(ctx, viewer)
}

// maxQuarantined is up to which number the mails in quarantine are counted.
const maxQuarantined = 1000

// Quarantined returns the number of incoming mails in quarantine, counted up to 1000.
func (w *Workspace) Quarantined(ctx context.Context, viewer desk.Person) (int, error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return 0, err
	}
	return w.store.Quarantined(ctx, maxQuarantined)
}

// History returns the commands and deliveries of a ticket. It returns NotFound for a ticket that does not exist.
func (w *Workspace) History(ctx context.Context, viewer desk.Person, n ticket.Number) (desk.History, error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return desk.History{}, err
	}
	return w.store.History(ctx, n)
}

// Others returns the newest other tickets of a ticket's requester, at most 20, and their total number, counted up to 1000.
func (w *Workspace) Others(ctx context.Context, viewer desk.Person, n ticket.Number) (newest []desk.TicketSummary, count int, err error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return nil, 0, err
	}
	return w.store.Others(ctx, n)
}

// RecordPresence records that a member of the staff has a ticket open, and whether they are writing. It returns NotFound for a ticket
// that does not exist.
func (w *Workspace) RecordPresence(ctx context.Context, by desk.Person, n ticket.Number, writing bool) error {
	if err := authorise(by, staffOnly); err != nil {
		return err
	}
	return w.store.RecordPresence(ctx, by.ID, n, writing)
}

// CorrectContact changes the address of a contact, who is a customer without an account. It returns Conflict for a person with
// an account, and Invalid on "address".
func (w *Workspace) CorrectContact(ctx context.Context, by desk.Person, id ticket.PersonID, address string) error {
	if err := authorise(by, staffOnly); err != nil {
		return err
	}
	return w.store.CorrectContact(ctx, by, id, strings.TrimSpace(address))
}
