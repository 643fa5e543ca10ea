package panel_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// palette is a browser with an open ticket and another one in the list, on which commands of the palette are run.
type palette struct {
	o        *fixture
	p        *browsertest.Page
	n, other ticket.Number
}

// awaitBoth waits until holds is true of both tickets, which are selected.
func (d palette) awaitBoth(what string, holds func(desk.View) bool) {
	d.await(what, holds, d.n, d.other)
}

// awaitOne waits until holds is true of the open ticket.
func (d palette) awaitOne(what string, holds func(desk.View) bool) { d.await(what, holds, d.n) }

func (d palette) await(what string, holds func(desk.View) bool, all ...ticket.Number) {
	d.o.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if !slices.ContainsFunc(all, func(n ticket.Number) bool { return !holds(d.o.ticket(n)) }) {
			return
		}
	}
	d.o.t.Fatalf("not %s: %v", what, all)
}

func focus(selector string) func(palette) {
	return func(d palette) {
		d.p.Until(selector+" has the focus", `document.activeElement.matches("`+selector+`")`)
	}
}

func at(path string) func(palette) { return func(d palette) { d.p.At(path) } }

func shows(what, expression string) func(palette) {
	return func(d palette) { d.p.Until(what, expression) }
}

func assigned(handle string) func(desk.View) bool {
	return func(v desk.View) bool { return v.Assignee != nil && v.Assignee.Handle == handle }
}

// commands returns every command of the palette with a check of its effect: alone for the open ticket, selected for
// both.
func commands(o *fixture) (alone, selected map[string]func(palette)) {
	alone = map[string]func(palette){
		"Take this ticket":                   func(d palette) { d.awaitOne("taken", assigned("anna")) },
		"Close this ticket permanently":      func(d palette) { d.p.Click("Yes, do it"); d.awaitOne("closed", closed) },
		"First response: Why this deadline?": shows("it is explained", `document.querySelector("#why-first_response").open`),
		"Resolution: Why this deadline?":     shows("it is explained", `document.querySelector("#why-resolution").open`),
		"Reply":                              focus("#body-reply"),
		"Reply and resolve":                  focus("#body-resolve"),
		"Request information":                focus("#body-request"),
		"Progress update":                    focus("#body-progress"),
		"Internal note":                      focus("#body-note"),
		"Insert a canned reply":              focus("#canned[open] #canned-input"),
		"Send reply":                         focus("#body-reply"), // which is empty
		"Back to the list":                   focus(".item-link"),
		"Collapse or expand the list":        shows("the list is collapsed", `document.documentElement.classList.contains("fold-list")`),
		"Collapse or expand the queues":      shows("the queues are collapsed", `document.documentElement.classList.contains("fold-queues")`),
		"Show or hide the emails":            shows("the emails are there", `document.querySelector("#mails").open`),
		"Show or hide the commands":          shows("the commands are there", `document.querySelector("#commands").open`),
		"Show all tickets of this requester": at(`/desk\?queue=all&requester=.*`),
		"Open the workflow in Temporal UI":   shows("it is opened", `document.body.dataset.opened`),
		"Search subjects and messages":       focus("#search"),
		"Filter the list":                    focus("#filters[open] select"),
		"Save this filter":                   at(`/desk/filters\?query=.*`),
		"Mark yourself as away":              at("/desk/away"),
		"Add a participant":                  focus("#participants-form[open] #participants-address"),
		"Change the requester":               focus("#requester-form[open] #requester-address"),
		"Open a ticket for a customer":       at("/desk/new"),
		"Read incoming email":                at("/desk/mail"),
		"Manage saved filters":               at("/desk/filters"),
		"Manage canned replies":              at("/desk/canned"),
		"Go to Desk":                         at("/desk"),
		"Account":                            at("/account"),
		"Sign out":                           func(d palette) { d.p.At("/"); d.p.Goto("/let-in/anna") },
		"Switch between light and dark":      shows("it is dark", `document.documentElement.dataset.theme === "dark" && (document.querySelector('[data-action="theme"]').click(), true)`),
		"Show the keyboard shortcuts":        shows("they are shown", `document.querySelector("#keys").open`),
	}
	for name, queue := range map[string]string{"Mine": "mine", "Unassigned": "unassigned", "Due soon": "due-soon", "Breached": "breached", "Waiting": "waiting", "Resolved": "resolved", "Snoozed": "snoozed", "All": "all"} {
		alone["Go to queue "+name] = at(`/desk\?queue=` + queue)
	}
	selected = map[string]func(palette){
		"Close the selected tickets": func(d palette) { d.p.Click("Yes, do it"); d.awaitBoth("closed", closed) },
	}
	snoozed := func(v desk.View) bool { return !v.Ticket.SnoozedUntil.IsZero() }
	_, policy, _, err := o.Desk.PolicyInForce(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	for _, end := range panel.SnoozeEnds(time.Now().In(policy.Zone)) {
		alone["Snooze: "+end] = func(d palette) { d.awaitOne("snoozed", snoozed) }
		selected["Snooze the selected: "+end] = func(d palette) { d.awaitBoth("snoozed", snoozed) }
	}
	for handle, p := range o.People {
		if p.Role.Staff() {
			alone["Assign to "+p.Name] = func(d palette) { d.awaitOne("assigned", assigned(handle)) }
			selected["Assign the selected to "+p.Name] = func(d palette) { d.awaitBoth("assigned", assigned(handle)) }
		}
	}
	for _, priority := range []string{"low", "normal", "high", "urgent"} {
		is := func(v desk.View) bool { return string(v.Ticket.Priority) == priority }
		if priority != "normal" {
			alone["Set priority "+priority] = func(d palette) { d.awaitOne(priority, is) }
		}
		selected["Set the priority of the selected to "+priority] = func(d palette) { d.awaitBoth(priority, is) }
	}
	for _, category := range policy.Categories {
		is := func(v desk.View) bool { return v.Ticket.Category == category }
		if category != policy.Categories[0] {
			alone["Set category "+category] = func(d palette) { d.awaitOne(category, is) }
		}
		selected["Set the category of the selected to "+category] = func(d palette) { d.awaitBoth(category, is) }
	}
	return alone, selected
}

func closed(v desk.View) bool { return v.Ticket.Status == ticket.StatusClosed }

// TestPalette_doesEveryCommand that it lists, with tickets selected and without. One that is not known here fails.
func TestPalette_doesEveryCommand(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	if _, err := o.Workspace.SaveCanned(t.Context(), o.People["anna"], desk.CannedReply{Title: "Greeting", Body: "Hello."}); err != nil {
		t.Fatal(err)
	}
	alone, selected := commands(o)
	p, _ := o.window("anna")
	for name, known := range map[string]map[string]func(palette){"nothing selected": alone, "two selected": union(alone, selected)} {
		t.Run(name, func(t *testing.T) {
			d := o.palette(p, 0)
			prepare := func(i int) {
				d = o.palette(p, i)
				if name == "two selected" {
					d.selectBoth()
				}
			}
			prepare(0)
			offered := listedCommands(p)
			for _, command := range offered {
				if known[command] == nil {
					t.Errorf("the palette offers %q, which is not tested", command)
				}
			}
			for i, command := range slices.Sorted(maps.Keys(known)) {
				if !slices.Contains(offered, command) {
					t.Errorf("the palette does not offer %q", command)
					continue
				}
				prepare(i + 1)
				d.run(command)
				known[command](d)
				if name == "two selected" && known[command] != nil && strings.HasPrefix(p.At(".*"), "/desk/tickets/"+string(d.n)) && selected[command] == nil {
					p.Until("the selection is kept by "+command, `document.querySelectorAll("#rows input:checked").length === 2`)
				}
			}
		})
	}
}

// TestBulk_keepsTheSelectionOfWhatWasRefused, and all of it when nothing was asked or the desk is away.
func TestBulk_keepsTheSelectionOfWhatWasRefused(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	p, g := o.window("anna")
	d := o.palette(p, 0)
	d.selectBoth()
	p.Click("Reclassify")
	p.SeeOn("#report", "priority or category must be chosen")
	p.Until("both are selected", `document.querySelectorAll("#rows input:checked").length === 2`)
	_, free := g.delayResponses(isPost("/desk/bulk"))
	free()
	g.unavailable.Store(true)
	p.Forgive("503", "[object Object]")
	d.run("Assign the selected to Bert Agent")
	p.SeeOn("#said", "What you typed is saved")
	p.Until("both are selected", `document.querySelectorAll("#rows input:checked").length === 2`)
	g.unavailable.Store(false)
	o.ask("bert", desk.Request{Number: d.other, Verb: ticket.VerbClose})
	p.SeeOn("#item-"+string(d.other), "closed")
	d.run("Set the priority of the selected to urgent")
	p.SeeOn("#report", "1 refused")
	p.Until("the refused one is selected", `[...document.querySelectorAll("#rows input:checked")].map((box) => box.value).join() === "`+string(d.other)+`"`)
}

// TestBulk_doubleClickIsOneCommand: the second click is not a command to nothing, whose report would replace the first's.
func TestBulk_doubleClickIsOneCommand(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	p, g := o.window("anna")
	d := o.palette(p, 0)
	d.selectBoth()
	browsertest.Value[string](p, `document.querySelector(".bulk select[name=agent]").value = "bert"`)
	held, free := g.delayResponses(func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Path == "/desk/bulk" })
	p.ClickOn("#bulk-assign")
	<-held
	p.ClickOn("#bulk-assign")
	free()
	p.SeeOn("#report", "2 tickets")
	p.Settle()
	p.SeeOn("#report", "2 tickets")
	if len(held) > 0 {
		t.Error("the second click was sent, too")
	}
}

func union(parts ...map[string]func(palette)) map[string]func(palette) {
	all := map[string]func(palette){}
	for _, m := range parts {
		maps.Copy(all, m)
	}
	return all
}

// palette submits two tickets, opens one and lists only these two.
func (o *fixture) palette(p *browsertest.Page, i int) palette {
	o.t.Helper()
	word := fmt.Sprintf("okapi%d%d", i, time.Now().UnixNano())
	d := palette{o, p, o.submit("clara", word+" is late", "Where is it?"), o.submit("carl", word+" is bent", "Look.")}
	browsertest.Value[bool](p, `(localStorage.clear(), true)`) // columns may be folded
	p.Goto("/desk/tickets/" + string(d.n) + "?queue=all&q=" + word)
	p.SeeOn("#ticket .number", string(d.n))
	p.Until("both are listed", `document.querySelectorAll("#rows .item-link").length === 2`)
	p.Settle()
	browsertest.Value[bool](p, `(document.addEventListener("click", (event) => {
		if (event.target.closest(".references a[target]")) event.preventDefault(), document.body.dataset.opened = 1;
	}), true)`) // Temporal UI is not there
	return d
}

func (d palette) selectBoth() {
	d.p.ClickOn("#item-" + string(d.n) + " > input")
	d.p.ClickOn("#item-" + string(d.other) + " > input")
	d.p.SeeOn(".bulk-count", "2 tickets selected")
}

// commandName is a script's function that returns the name of a listed command, without the instant of a snooze.
const commandName = `(name) => name.textContent.replace(/^(Snooze[^:]*: [^,]+), .*/, "$1")`

// listedCommands returns the labels of the commands that the palette offers now.
func listedCommands(p *browsertest.Page) []string {
	p.Press("Control+k")
	p.SeeOn("#palette", "")
	all := browsertest.Value[[]string](p, `[...document.querySelectorAll("#palette-list li span")].map(`+commandName+`)`)
	p.Press("Escape")
	return all
}

// run runs a command of the palette.
func (d palette) run(command string) {
	d.o.t.Helper()
	d.p.Press("Control+k")
	d.p.SeeOn("#palette", "")
	d.p.Type(command)
	down := browsertest.Value[int](d.p, fmt.Sprintf(`[...document.querySelectorAll("#palette-list li span")].findIndex((name) => (`+commandName+`)(name) === %q)`, command))
	for range down {
		d.p.Press("ArrowDown")
	}
	d.p.Until(command+" is chosen", fmt.Sprintf(`[...document.querySelectorAll("#palette-list [aria-selected=true] span")].map(`+commandName+`)[0] === %q`, command))
	d.p.Press("Enter")
}
