package e2e_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holesalemart/supportdesk/internal/faulttest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	waiting  = 6 * time.Second        // of a client for an answer, before it asks again
	thinking = 250 * time.Millisecond // of a client, between two requests, on average
)

// What one person does at most, so that a round does not grow with the time that its faults take on a busy machine.
const livesEach, lettersEach = 9, 8

// caller is a client of the API that does what people do, and records the responses.
type caller struct {
	*faultyDesk
	r *mathrand.Rand
}

// load has people use the desk until stopped, and then end what they have begun.
func (d *faultyDesk) load(seed uint64, users, senders int, stop *atomic.Bool) *sync.WaitGroup {
	var all sync.WaitGroup
	for i := range users {
		u := caller{d, mathrand.New(mathrand.NewPCG(seed, uint64(100+i)))}
		all.Go(func() {
			for n := 0; n < livesEach && !stop.Load(); n++ {
				u.live(i + n)
			}
		})
	}
	for i := range senders {
		u := caller{d, mathrand.New(mathrand.NewPCG(seed, uint64(200+i)))}
		all.Go(func() {
			for n := 0; n < lettersEach && !stop.Load(); n++ {
				u.correspond(fmt.Sprintf("customer-%d-%d@client.example", i, n))
			}
		})
	}
	return &all
}

const customerAddress = "customer@demo.example"

// lives are what becomes of tickets: verbs of the API with who uses them.
var lives = [][]string{
	{}, // every promise is broken
	{"replies agent", "replies customer", "resolution agent", "confirmation customer"},
	{"information-requests agent"}, // silence closes it
	{"assignment agent", "progress agent", "notes agent", "acknowledgement agent"},
	{"replies agent", "resolution agent", "replies customer", "resolution agent"},
	{"information-requests agent", "reopening agent", "closure agent"},
	{"withdrawal customer"},
	{"files agent"},
	{"assignment supervisor", "notes supervisor", "files agent", "replies customer", "replies agent", "resolution agent"},
}

// live submits a ticket and does with it what one of the lives has.
func (u caller) live(n int) {
	token := "token-" + rand.Text()
	got, done := u.insist(u.customer, http.MethodPost, "/tickets", words{"subject": "Subject of " + token, "body": "Words of " + token})
	if !done {
		return
	}
	var v ticketView
	if err := got.into(&v); err != nil || v.Number == "" {
		u.t.Errorf("a submission is answered %d %s", got.status, got.body)
		return
	}
	u.note(faulttest.Word{Token: token, Ticket: v.Number})
	for _, step := range lives[n%len(lives)] {
		u.think()
		noun, who, _ := strings.Cut(step, " ")
		if !u.do(map[string]person{"customer": u.customer, "agent": u.agent, "supervisor": u.supervisor}[who], v.Number, noun, who) {
			return
		}
	}
	u.think()
}

func (u caller) think() { time.Sleep(time.Duration(u.r.Int64N(int64(2 * thinking)))) } // as people do

// do has a command accepted, and reports whether it was. It may be refused: the desk resolves and closes tickets by itself.
func (u caller) do(by person, number, noun, role string) bool {
	body, token := words{}, "token-"+rand.Text()
	path := noun
	switch noun {
	case "replies", "information-requests", "progress", "notes", "resolution":
		body["body"] = "Words of " + token
	case "files":
		id, done := u.upload(by)
		if !done {
			return false
		}
		path, body["body"], body["files"] = "replies", "Words of "+token, []string{id}
	default:
		token = ""
	}
	key := "key-" + rand.Text()
	got, done := u.ask(by, http.MethodPost, "/tickets/"+number+"/"+path, key, body)
	if !done {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case got.status == http.StatusConflict:
		if token != "" {
			u.acknowledged.Refused = append(u.acknowledged.Refused, token)
		}
		return false
	case token == "":
		u.acknowledged.Keys = append(u.acknowledged.Keys, key)
	default:
		w := faulttest.Word{Token: token, Ticket: number}
		if role != "customer" && noun != "notes" {
			w.To = customerAddress
		}
		u.acknowledged.Words = append(u.acknowledged.Words, w)
	}
	return true
}

func (u caller) note(w faulttest.Word) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.acknowledged.Words = append(u.acknowledged.Words, w)
}

// upload has a file accepted and returns its ID.
func (u caller) upload(by person) (id string, done bool) {
	content := make([]byte, 1+u.r.IntN(100_000))
	_, _ = rand.Read(content)
	got, done := u.insistWith(func(ctx context.Context, base string) (answer, error) {
		return by.send(ctx, base, http.MethodPost, "/files", "key-"+rand.Text(), "application/octet-stream", content)
	}, "/files")
	var v struct{ ID string }
	if !done || got.into(&v) != nil || v.ID == "" {
		u.t.Errorf("an upload is answered %d %s", got.status, got.body)
		return "", false
	}
	sum := sha256.Sum256(content)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.acknowledged.Files[v.ID] = hex.EncodeToString(sum[:])
	return v.ID, true
}

func (u caller) insist(by person, method, path string, body words) (answer, bool) {
	return u.ask(by, method, path, "key-"+rand.Text(), body)
}

// ask asks one API or the other, always under one key, until there is an answer, as a careful client does.
func (u caller) ask(by person, method, path, key string, body words) (answer, bool) {
	text, err := json.Marshal(body)
	if err != nil {
		u.t.Error(err)
		return answer{}, false
	}
	return u.insistWith(func(ctx context.Context, base string) (answer, error) {
		return by.send(ctx, base, method, path, key, "application/json", text)
	}, path)
}

// insistWith asks until the answer is one that asking again doesn't change. It gives up, and fails the test, when there is none
// long after all faults have ended.
func (u caller) insistWith(send func(ctx context.Context, base string) (answer, error), path string) (got answer, done bool) {
	var err error
	for deadline := time.Now().Add(insisting); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(context.Background(), waiting)
		got, err = send(ctx, u.apis[u.r.IntN(len(u.apis))])
		cancel()
		switch {
		case err != nil || got.status == http.StatusServiceUnavailable:
			time.Sleep(100 * time.Millisecond) // as a client does that was not served
		case got.status < 300 || got.status == http.StatusConflict:
			return got, true
		default:
			u.t.Errorf("%s is answered %d %s", path, got.status, got.body)
			return got, false
		}
	}
	u.t.Errorf("%s has no answer within %s: %d %s, %v", path, insisting, got.status, got.body, err)
	return got, false
}

// insisting is longer than the faults of a round and what the desk needs to recover.
const insisting = 5 * time.Minute

// correspond opens a ticket by email and replies to what the desk sends, if that comes soon.
func (u caller) correspond(from string) {
	before := len(u.mails.Messages())
	u.post(newLetter(from, u.r.IntN(20_000), 1+u.r.IntN(30_000)), "")
	u.think()
	for deadline := time.Now().Add(corresponding); time.Now().Before(deadline); {
		for _, m := range u.mails.Messages()[before:] {
			if number := faulttest.TicketOf(m.MessageID); number != "" && slices.Contains(m.To, from) {
				u.post(newLetter(from, u.r.IntN(2_000)).inReplyTo(m.MessageID), number)
				u.think()
				return
			}
		}
		time.Sleep(100 * time.Millisecond) // between looks, not instead of one
	}
}

// corresponding is how long a receipt may take on a machine that is as busy as those of CI: without any reply, the judge has nothing to see.
const corresponding = time.Minute

// post sends a letter until the desk replies 250, as a mail server does. number is the ticket that it replies to, if any.
func (u caller) post(l letter, number string) {
	var err error
	for deadline := time.Now().Add(insisting); time.Now().Before(deadline); {
		if err = l.sendTo(u.lmtp, waiting); err == nil {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.acknowledged.Letters = append(u.acknowledged.Letters, faulttest.Letter{ID: l.id, Token: l.token, Ticket: number, Raw: l.raw})
			return
		}
		time.Sleep(100 * time.Millisecond) // as a mail server does
	}
	u.t.Errorf("an email is not accepted within %s: %v", insisting, err)
}

// emergency declares that the desk is closed, and ends that after some time, once the kill has come that has to meet its start.
func (d *faultyDesk) emergency(seed uint64, killed <-chan struct{}) {
	u := caller{d, mathrand.New(mathrand.NewPCG(seed, 300))}
	got, done := u.insist(d.supervisor, http.MethodPost, "/emergencies", words{"kind": ticket.EmergencyClosed, "notice": "The office is closed: token-NOTICE."})
	var v struct{ ID string }
	if !done || got.into(&v) != nil || v.ID == "" {
		d.t.Errorf("an emergency is answered %d %s", got.status, got.body)
		return
	}
	time.Sleep(closure) // as the load has it
	<-killed
	_, _ = u.ask(d.supervisor, http.MethodDelete, "/emergencies/"+v.ID, "", nil)
}

const closure = 5 * time.Second
