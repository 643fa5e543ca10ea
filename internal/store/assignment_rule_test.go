package store_test

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// assignmentRules assigns deliveries within the group vans by round robin, orders to the least loaded agent, and
// breached tickets to another agent.
const assignmentRules = quick + `assignment:
  - {categories: [delivery], group: vans, by: round_robin, reassign_on_breach: [first_response]}
  - {categories: [order], group: everyone, by: least_loaded}
`

// openGroup opens a fixture with three agents, all in the group vans.
func openGroup(t *testing.T) (d *fixture, agents []desk.Person) {
	t.Helper()
	d = openUnder(t, assignmentRules)
	agents = []desk.Person{d.agent, d.second, d.add(ticket.RoleAgent, "Cem Agent", "cem@desk.example")}
	d.group("vans", agents...)
	return d, agents
}

func (d *fixture) group(handle string, members ...desk.Person) {
	d.t.Helper()
	if err := d.staffing.CreateGroup(d.t.Context(), d.supervisor, handle, "The "+handle); err != nil {
		d.t.Fatal(err)
	}
	for _, p := range members {
		if err := d.staffing.AddToGroup(d.t.Context(), d.supervisor, handle, p.Handle); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *fixture) leave(p desk.Person, until time.Time) {
	d.t.Helper()
	if _, err := d.staffing.SetAway(d.t.Context(), p, p.Handle, until); err != nil {
		d.t.Fatal(err)
	}
}

// about submits a ticket of a category and runs its first step.
func (d *fixture) about(category string) stepped {
	d.t.Helper()
	s := submission()
	s.Category = category
	a, err := d.Submit(d.t.Context(), d.customer, s)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.step(ticket.StepRequest{Number: a.Number, Command: 1})
}

// rush submits tickets and runs their first steps concurrently, each twice, and returns how many each agent was
// assigned.
func (d *fixture) rush(category string, tickets int) map[string]int {
	d.t.Helper()
	numbers := make(chan ticket.Number, tickets)
	for range tickets {
		s := submission()
		s.Category = category
		a, err := d.Submit(d.t.Context(), d.customer, s)
		if err != nil {
			d.t.Fatal(err)
		}
		numbers <- a.Number
	}
	close(numbers)
	var steppers sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for range 6 {
		steppers.Go(func() {
			for n := range numbers {
				var both sync.WaitGroup
				results := make([]ticket.StepResult, 2)
				for i := range results {
					both.Go(func() {
						var err error
						if results[i], err = d.Step(d.t.Context(), ticket.StepRequest{Number: n, Command: 1}); err != nil {
							d.t.Error(err)
						}
					})
				}
				both.Wait()
				for i := range results {
					results[i].Outcomes = nil // only the step that decided the command returns them
				}
				if !reflect.DeepEqual(results[0], results[1]) {
					d.t.Errorf("one step gave two answers:\n%+v\n%+v", results[0], results[1])
				}
				mu.Lock()
				got[results[0].Digest.Handle]++
				mu.Unlock()
			}
		})
	}
	steppers.Wait()
	return got
}

func TestRoundRobin_isFairInARush(t *testing.T) {
	d, agents := openGroup(t)
	const tickets = 61
	got := d.rush("delivery", tickets)
	for _, p := range agents {
		if n := got[p.Handle]; n < tickets/len(agents) || n > tickets/len(agents)+1 {
			t.Errorf("%s got %d of %d", p.Name, n, tickets)
		}
	}
	if n := one[int64](d, `SELECT max(turn) FROM group_turns WHERE group_handle = 'vans'`); n != tickets {
		t.Errorf("%d turns for %d tickets", n, tickets)
	}
}

func TestLeastLoaded_isEvenInARush(t *testing.T) {
	d, agents := openGroup(t)
	for range 5 { // Anna has five already, of another kind
		n := d.taken(d.customer)
		if d.step(ticket.StepRequest{Number: n, Command: 1}).State.Ticket.Assignee != d.agent.ID {
			d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.agent.Handle})
		}
	}
	got := d.rush("order", 37) // 42 for three
	for i, want := range []int{9, 14, 14} {
		if n := got[agents[i].Handle]; n != want {
			t.Errorf("%s got %d, want %d", agents[i].Name, n, want)
		}
	}
}

func TestLeastLoaded_countsWhatIsOpenNow(t *testing.T) {
	d, _ := openGroup(t)
	first := d.about("order").State.Ticket
	second := d.about("order").State.Ticket
	third := d.about("order").State.Ticket
	if len(map[ticket.PersonID]bool{first.Assignee: true, second.Assignee: true, third.Assignee: true}) != 3 {
		t.Fatalf("%s, %s and %s", first.Assignee, second.Assignee, third.Assignee)
	}
	d.do(d.supervisor, desk.Request{Number: second.Number, Verb: ticket.VerbResolve, Body: "Done."})
	if got := d.about("order").State.Ticket.Assignee; got != second.Assignee {
		t.Errorf("%s got it, and %s has nothing to do", got, second.Assignee)
	}
	d.do(d.supervisor, desk.Request{Number: third.Number, Verb: ticket.VerbRequestInformation, Body: "Which one?"})
	d.do(d.supervisor, desk.Request{Number: first.Number, Verb: ticket.VerbClose})
	if got := d.about("order").State.Ticket.Assignee; got != first.Assignee {
		t.Errorf("%s got it: a waiting ticket is one that someone has", got)
	}
}

func TestRule_givesOnlyToWhoIsThere(t *testing.T) {
	d, agents := openGroup(t)
	outsider := d.add(ticket.RoleAgent, "Out Sider", "out@desk.example")
	d.leave(agents[0], time.Time{})
	if err := d.DisablePerson(t.Context(), agents[1].ID); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := d.about("delivery").State.Ticket.Assignee; got != agents[2].ID {
			t.Errorf("%q got it, and only %s is there", got, agents[2].ID)
		}
	}
	d.leave(agents[2], time.Now().Add(time.Hour))
	n := d.about("delivery")
	if n.State.Ticket.Assignee != "" || n.State.Ticket.Status != ticket.StatusNew {
		t.Errorf("%q got it; it is %s", n.State.Ticket.Assignee, n.State.Ticket.Status)
	}
	if got, want := d.kinds(n.State.Ticket.Number), []ticket.EventKind{ticket.EventSubmitted, ticket.EventNoAgentAvailable}; !slices.Equal(got, want) {
		t.Errorf("timeline %v, want %v", got, want)
	}
	if seen, err := d.tickets.Timeline(t.Context(), d.customer, n.State.Ticket.Number); err != nil || len(seen) != 1 {
		t.Errorf("the requester sees %d lines, %v", len(seen), err)
	}
	d.consistent(n.State.Ticket.Number)
	// Back by itself: nothing happens at that instant, it only passes.
	d.sql(`UPDATE people SET away_since = now() - interval '2 hours', away_until = now() - interval '1 second' WHERE id = $1`, agents[2].ID)
	if got := d.about("delivery").State.Ticket.Assignee; got != agents[2].ID {
		t.Errorf("%q got it, and %s is back", got, agents[2].ID)
	}
	if _, err := d.staffing.SetAvailable(t.Context(), d.supervisor, agents[0].Handle); err != nil {
		t.Fatal(err)
	}
	if got := d.about("delivery").State.Ticket.Assignee; got != agents[0].ID {
		t.Errorf("%q got it, and it is the turn of %s, who is back", got, agents[0].ID)
	}
	if n := one[int64](d, `SELECT count(*) FROM tickets WHERE assignee = $1`, outsider.ID); n != 0 {
		t.Errorf("someone outside the group got %d", n)
	}
}

func TestRule_breachGivesTheTicketToAnotherAgent(t *testing.T) {
	d, _ := openGroup(t)
	a := d.submit(d.customer)
	d.redate(a, a.At.Add(-2*time.Hour)) // due an hour ago
	before := d.step(ticket.StepRequest{Number: a.Number, Command: 1}).State
	state := before
	for state.Ticket.FirstResponse.BreachedAt.IsZero() {
		state = d.step(ticket.StepRequest{Number: a.Number, Due: state.Next.Due}).State
	}
	again := d.step(ticket.StepRequest{Number: a.Number, Due: state.Ticket.FirstResponse.BreachedAt}).State
	if state.Ticket.Assignee == before.Ticket.Assignee || again.Ticket.Assignee != state.Ticket.Assignee {
		t.Errorf("from %s to %s, and again %s", before.Ticket.Assignee, state.Ticket.Assignee, again.Ticket.Assignee)
	}
	var assigned []string
	for _, e := range d.timeline(a.Number) {
		if e.Kind == ticket.EventAssigned && e.Promise == policy.FirstResponse && e.By.Role == ticket.RoleDesk && e.Group == "vans" {
			assigned = append(assigned, string(e.Assignee))
		}
	}
	if !slices.Equal(assigned, []string{string(state.Ticket.Assignee)}) {
		t.Errorf("the timeline shows %v", assigned)
	}
	for person, kind := range map[ticket.PersonID]ticket.MailKind{
		before.Ticket.Assignee: ticket.MailHandedOver, state.Ticket.Assignee: ticket.MailAssigned, d.customer.ID: ticket.MailAssignment,
	} {
		if n := one[int64](d, `SELECT count(*) FROM deliveries m JOIN events e ON e.ticket = m.ticket AND e.n = m.event
			WHERE m.ticket = $1 AND m.person = $2 AND m.kind = $3 AND e.data->>'promise' = 'first_response'`, a.Number, person, kind); n != 1 {
			t.Errorf("%s is owed %d mails of kind %s", person, n, kind)
		}
	}
	d.consistent(a.Number)
	if l, _, err := d.mails.LoadMail(t.Context(), a.Number, one[int](d, `SELECT n FROM deliveries WHERE ticket = $1 AND kind = 'handed-over'`, a.Number)); err != nil || l.Assignee == "" {
		t.Errorf("the mail to the former agent names %q, %v", l.Assignee, err)
	}
}

func TestRule_anotherCategoryFindsAnAgent(t *testing.T) {
	d, agents := openGroup(t)
	n := d.about("general").State.Ticket.Number
	got := d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbReclassify, Category: "delivery"}).State.Ticket
	if !slices.ContainsFunc(agents, func(p desk.Person) bool { return p.ID == got.Assignee }) || got.Status != ticket.StatusOpen {
		t.Errorf("%q has it; it is %s", got.Assignee, got.Status)
	}
	d.consistent(n)
}

// TestRule_takesNoLockWithoutAChoice: assigning manually costs nothing for rules, and neither do rules for tickets
// that have an assignee.
func TestRule_takesNoLockWithoutAChoice(t *testing.T) {
	d, _ := openGroup(t)
	held := d.about("delivery").State.Ticket.Number
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, int64(0x63686f696365)); err != nil {
		t.Fatal(err)
	}
	d.about("general") // would wait for ever
	d.do(d.supervisor, desk.Request{Number: held, Verb: ticket.VerbReclassify, Category: "order"})
}

func TestGroups_areTheSupervisors(t *testing.T) {
	d, agents := openGroup(t)
	ctx := t.Context()
	for _, by := range []desk.Person{d.customer, d.agent} {
		_, err := d.staffing.Groups(ctx, by)
		wantKind(t, err, fault.Forbidden)
		for _, err := range []error{
			d.staffing.CreateGroup(ctx, by, "b", "B"), d.staffing.RenameGroup(ctx, by, "vans", "B"), d.staffing.DeleteGroup(ctx, by, "vans"),
			d.staffing.AddToGroup(ctx, by, "vans", agents[0].Handle), d.staffing.RemoveFromGroup(ctx, by, "vans", agents[0].Handle),
		} {
			wantKind(t, err, fault.Forbidden)
		}
	}
	groups, err := d.staffing.Groups(ctx, d.administrator)
	if err != nil || len(groups) != 2 || !groups[0].Fixed || len(groups[0].Members) != 3 || len(groups[1].Members) != 3 || groups[1].Present() != 3 {
		t.Fatalf("%+v, %v", groups, err)
	}
	for _, err := range []error{
		d.staffing.CreateGroup(ctx, d.supervisor, "Not one", "A"), d.staffing.CreateGroup(ctx, d.supervisor, "everyone", "A"),
		d.staffing.CreateGroup(ctx, d.supervisor, "a", " "), d.staffing.RenameGroup(ctx, d.supervisor, "vans", ""),
		d.staffing.CreateGroup(ctx, d.supervisor, "a", strings.Repeat("é", 101)),
	} {
		wantKind(t, err, fault.Invalid)
	}
	wantCode(t, d.staffing.CreateGroup(ctx, d.supervisor, "vans", "Again"), "handle-taken")
	wantCode(t, d.staffing.RenameGroup(ctx, d.supervisor, "everyone", "Us"), "group-fixed")
	wantCode(t, d.staffing.AddToGroup(ctx, d.supervisor, "everyone", d.agent.Handle), "group-fixed")
	for _, err := range []error{
		d.staffing.RenameGroup(ctx, d.supervisor, "nowhere", "A"), d.staffing.DeleteGroup(ctx, d.supervisor, "nowhere"),
		d.staffing.AddToGroup(ctx, d.supervisor, "nowhere", d.agent.Handle), d.staffing.AddToGroup(ctx, d.supervisor, "vans", string(d.customer.ID)),
		d.staffing.RemoveFromGroup(ctx, d.supervisor, "vans", d.supervisor.Handle),
	} {
		wantKind(t, err, fault.NotFound)
	}
	for _, err := range []error{
		d.staffing.RenameGroup(ctx, d.supervisor, "vans", "Lorries"), d.staffing.AddToGroup(ctx, d.supervisor, "vans", agents[0].Handle),
		d.staffing.AddToGroup(ctx, d.supervisor, "vans", strings.ToUpper(d.supervisor.Handle)), d.staffing.RemoveFromGroup(ctx, d.supervisor, "vans", string(agents[1].ID)),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	groups, err = d.staffing.Groups(ctx, d.supervisor)
	if err != nil || groups[1].Title != "Lorries" || len(groups[1].Members) != 3 || slices.ContainsFunc(groups[1].Members, func(c desk.Colleague) bool { return c.ID == agents[1].ID }) {
		t.Errorf("%+v, %v", groups, err)
	}
	if err := d.staffing.DeleteGroup(ctx, d.supervisor, "vans"); err != nil {
		t.Error(err)
	}
	if got := d.about("delivery").State.Ticket; got.Assignee != "" {
		t.Errorf("%s of a group that is gone got it", got.Assignee)
	}
}

func TestAway_isOnesOwnAndTheSupervisorsToSay(t *testing.T) {
	d := open(t)
	ctx := t.Context()
	_, err := d.staffing.SetAway(ctx, d.agent, d.second.Handle, time.Time{})
	wantKind(t, err, fault.Forbidden)
	_, err = d.staffing.SetAvailable(ctx, d.customer, string(d.customer.ID))
	wantKind(t, err, fault.Forbidden)
	_, err = d.staffing.SetAway(ctx, d.supervisor, string(d.customer.ID), time.Time{})
	wantKind(t, err, fault.NotFound)
	_, err = d.staffing.SetAway(ctx, d.agent, d.agent.Handle, time.Now().Add(-time.Minute))
	wantKind(t, err, fault.Invalid)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	first, err := d.staffing.SetAway(ctx, d.supervisor, d.agent.Handle, until)
	if err != nil || !first.Away.Now() || !first.Away.Until.Equal(until) {
		t.Fatalf("%+v, %v", first, err)
	}
	longer, err := d.staffing.SetAway(ctx, d.agent, string(d.agent.ID), time.Time{})
	if err != nil || !longer.Away.Since.Equal(first.Away.Since) || !longer.Away.Until.IsZero() {
		t.Errorf("%+v, %v", longer, err)
	}
	staff, err := d.Staff(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range staff {
		if c.Away.Now() != (c.ID == d.agent.ID) {
			t.Errorf("%s is away: %v", c.Name, c.Away)
		}
	}
	// People still can.
	n := d.taken(d.customer)
	if got := d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.agent.Handle}).State.Ticket.Assignee; got != d.agent.ID {
		t.Errorf("%q has it", got)
	}
	back, err := d.staffing.SetAvailable(ctx, d.agent, d.agent.Handle)
	if err != nil || back.Away.Now() || back.Load != 1 {
		t.Errorf("%+v, %v", back, err)
	}
	if c, err := d.Colleague(ctx, d.agent.Handle); err != nil || c != back {
		t.Errorf("%+v, %v", c, err)
	}
}
