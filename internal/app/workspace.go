package app

import (
	"context"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Editor selects the canned replies and saved filters that a person may change: their own, and with Shared also what
// others share.
type Editor struct {
	Person ticket.PersonID
	Shared bool
}

func editor(by desk.Person) Editor { return Editor{Person: by.ID, Shared: by.Role.Commands()} }

// mayChange is about what the person can see.
func (e Editor) mayChange(author desk.Ref) bool { return e.Shared || e.Person == author.ID }

// cannedStore holds canned replies.
type cannedStore interface {
	// Canned lists a person's own and all shared ones, by title.
	Canned(context.Context, ticket.PersonID) ([]desk.CannedReply, error)
	AddCanned(ctx context.Context, author ticket.PersonID, c desk.CannedReply) (id int64, err error)
	// UpdateCanned keeps the author. It returns a NotFound fault for one that the editor may not change.
	UpdateCanned(context.Context, Editor, desk.CannedReply) error
	// RemoveCanned fails as UpdateCanned does.
	RemoveCanned(context.Context, Editor, int64) error
}

// filterStore holds saved filters; see cannedStore.
type filterStore interface {
	Filters(context.Context, ticket.PersonID) ([]desk.SavedFilter, error)
	AddFilter(ctx context.Context, author ticket.PersonID, f desk.SavedFilter) (id int64, err error)
	UpdateFilter(context.Context, Editor, desk.SavedFilter) error
	RemoveFilter(context.Context, Editor, int64) error
}

// staffView reads what only staff may know of tickets.
type staffView interface {
	QueueCounts(ctx context.Context, viewer desk.Person) (map[desk.Queue]int, error)
	History(context.Context, ticket.Number) (desk.History, error)
	Others(context.Context, ticket.Number) (newest []desk.TicketSummary, count int, err error)
}

type workspaceStore interface {
	cannedStore
	filterStore
	staffView
	// Look records that a person has a ticket open.
	Look(ctx context.Context, by ticket.PersonID, n ticket.Number, writing bool) error
}

// Workspace is what agents work with beside the tickets' commands: their queues, what is known of a ticket, canned
// replies and saved filters. All of it is Forbidden to customers.
type Workspace struct{ store workspaceStore }

// NewWorkspace returns the use cases on a store.
func NewWorkspace(s workspaceStore) *Workspace { return &Workspace{s} }

// CannedReplies lists a person's own and all shared ones, by title.
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

// SaveCanned keeps a canned reply: a new one with ID 0, or else what the author, or a supervisor if it is shared,
// makes of one that is there. Its author stays. It is Invalid by field, and NotFound for one that is not theirs to change.
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

// DeleteCanned deletes a canned reply. It is NotFound for one that is not theirs to change.
func (w *Workspace) DeleteCanned(ctx context.Context, by desk.Person, id int64) error {
	if err := authorise(by, staffOnly); err != nil {
		return err
	}
	return w.store.RemoveCanned(ctx, editor(by), id)
}

// SavedFilters lists a person's own and all shared ones, by name.
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

// SaveFilter keeps a filter as SaveCanned keeps a canned reply, with its errors.
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

// DeleteFilter deletes a saved filter. It is NotFound for one that is not theirs to change.
func (w *Workspace) DeleteFilter(ctx context.Context, by desk.Person, id int64) error {
	if err := authorise(by, staffOnly); err != nil {
		return err
	}
	return w.store.RemoveFilter(ctx, editor(by), id)
}

// QueueCounts counts the tickets in each queue as its viewer sees it, up to a thousand: what the queue's list shows.
func (w *Workspace) QueueCounts(ctx context.Context, viewer desk.Person) (map[desk.Queue]int, error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return nil, err
	}
	return w.store.QueueCounts(ctx, viewer)
}

// History returns what was asked of a ticket and which deliveries it owed. It is NotFound for a ticket that does not exist.
func (w *Workspace) History(ctx context.Context, viewer desk.Person, n ticket.Number) (desk.History, error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return desk.History{}, err
	}
	return w.store.History(ctx, n)
}

// Others returns the newest other tickets of a ticket's requester, twenty at most, and how many there are in all, counted
// up to a thousand.
func (w *Workspace) Others(ctx context.Context, viewer desk.Person, n ticket.Number) (newest []desk.TicketSummary, count int, err error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return nil, 0, err
	}
	return w.store.Others(ctx, n)
}

// Look records that one of the staff has a ticket open, and whether they are writing. It is NotFound for a ticket that
// does not exist.
func (w *Workspace) Look(ctx context.Context, by desk.Person, n ticket.Number, writing bool) error {
	if err := authorise(by, staffOnly); err != nil {
		return err
	}
	return w.store.Look(ctx, by.ID, n, writing)
}
