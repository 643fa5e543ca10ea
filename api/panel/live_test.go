package panel_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// liveEvents returns the events that an open page receives, each as "event data", until the test ends.
func (b *browser) liveEvents() <-chan string {
	t := b.fixture.t
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.fixture.server.URL+"/desk/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := b.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if media := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || media != "text/event-stream" {
		t.Fatalf("the stream answers %d, %s", response.StatusCode, media)
	}
	events := make(chan string, 100)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		event := ""
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if name, found := strings.CutPrefix(lines.Text(), "event: "); found {
				event = name
			} else if data, found := strings.CutPrefix(lines.Text(), "data: "); found {
				events <- event + " " + data
			}
		}
	}()
	t.Cleanup(func() { stop(); <-ended; response.Body.Close() })
	b.fixture.awaitEvent(events, "open open")
	return events
}

// awaitEvent waits for the event want and skips all others.
func (o *fixture) awaitEvent(events <-chan string, want string) {
	o.t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case got := <-events:
			if got == want {
				return
			}
		case <-late:
			o.t.Fatalf("no one heard %q", want)
		}
	}
}

func TestLive_saysWhichTicketChangedAndNoWords(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	events := o.browser("bert").liveEvents()
	o.browser("anna").post("/desk/tickets/"+string(n)+"/notes", url.Values{"body": {"Canary words"}}).wantStatus(http.StatusSeeOther)
	o.awaitEvent(events, "ticket "+string(n))
	o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Canary again"})
	o.awaitEvent(events, "ticket "+string(n))
	fresh := o.submit("carl", "A new one", "…")
	o.awaitEvent(events, "ticket "+string(fresh))
	for {
		select {
		case got := <-events:
			if strings.Contains(got, "Canary") {
				t.Fatalf("the stream says %q", got)
			}
			continue
		default:
		}
		break
	}
}

func TestPresence_showsTheOthersWhoViewsAndWhoWrites(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	path := "/desk/tickets/" + string(n)
	anna, bert := o.browser("anna"), o.browser("bert")
	events := bert.liveEvents()
	sees := func(want string) {
		t.Helper()
		if got := bert.get(path+"?part=presence", byScript...).Line("#presence[hx-swap-oob]"); got != want {
			t.Errorf("bert sees %q, want %q", got, want)
		}
	}
	anna.post(path+"/presence", url.Values{"state": {"looking"}}).wantStatus(http.StatusNoContent)
	o.awaitEvent(events, "presence "+string(n))
	sees("Anna Agent is viewing")
	anna.post(path+"/presence", url.Values{"state": {"writing"}}).wantStatus(http.StatusNoContent)
	o.awaitEvent(events, "presence "+string(n))
	sees("Anna Agent is writing")
	if own := anna.get(path).Line("#presence"); own != "" {
		t.Errorf("anna sees %q", own)
	}
	anna.post(path+"/presence", url.Values{"state": {"gone"}}).wantStatus(http.StatusNoContent)
	o.awaitEvent(events, "presence "+string(n))
	sees("")
}

// TestLive_leadsToTheSignInAndBackToThePage when the session ended while a ticket was open.
func TestLive_leadsToTheSignInAndBackToThePage(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	path := "/desk/tickets/" + string(n) + "?queue=all"
	anna := o.browser("anna")
	if err := o.Store.EndSessions(t.Context(), o.People["anna"].ID); err != nil {
		t.Fatal(err)
	}
	a := anna.get(path+"&part=live", "HX-Request", "true", "HX-Current-URL", o.server.URL+path)
	if to := a.Header.Get("HX-Redirect"); to != "/sign-in?next="+url.QueryEscape(path) {
		t.Errorf("it leads to %q", to)
	}
	if a := anna.post("/desk/tickets/"+string(n)+"/replies", url.Values{"body": {"Hello"}}, byScript...); a.Status != http.StatusUnauthorized || a.Header.Get("HX-Redirect") != "" {
		t.Errorf("a reply is answered %d and led to %q: what was typed would be gone", a.Status, a.Header.Get("HX-Redirect"))
	}
}
