package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// upload stores a file's row as an upload does.
func (d *fixture) upload(by desk.Person, name string) desk.FileID {
	d.t.Helper()
	return d.uploadSized(by, name, 5)
}

func (d *fixture) uploadSized(by desk.Person, name string, size int64) desk.FileID {
	d.t.Helper()
	f := desk.StoredFile{By: by.ID, SHA256: make([]byte, 32)}
	f.ID, f.Name, f.Size, f.Type = desk.NewFileID(), name, size, "image/png"
	f.Blob, f.Preview, f.Width, f.Height = "blob-"+string(f.ID), "preview-"+string(f.ID), 10, 20
	if err := d.AddFile(d.t.Context(), f); err != nil {
		d.t.Fatal(err)
	}
	return f.ID
}

func names(files []desk.File) (all []string) {
	for _, f := range files {
		all = append(all, f.Name)
	}
	return all
}

func wantField(t *testing.T, err error, field string) {
	t.Helper()
	wantKind(t, err, fault.Invalid)
	if !strings.Contains(err.Error(), field+":") {
		t.Errorf("%v is not about %s", err, field)
	}
}

func TestFiles_areAttachedWithTheirMessageInOrder(t *testing.T) {
	d := open(t)
	b, a, c := d.upload(d.customer, "b.png"), d.upload(d.customer, "a.png"), d.upload(d.customer, "c.png")
	sub := submission()
	sub.Files = []desk.FileID{b, a, c}
	accepted, err := d.Submit(t.Context(), d.customer, sub)
	if err != nil {
		t.Fatal(err)
	}
	n := accepted.Number
	d.step(ticket.StepRequest{Number: n, Command: 1})
	only := d.upload(d.agent, "only.png")
	reply := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Files: []desk.FileID{only}})
	undecided, err := d.Undecided(t.Context(), d.agent, n)
	if err != nil || len(undecided) != 1 || !slices.Equal(names(undecided[0].Files), []string{"only.png"}) {
		t.Errorf("undecided: %+v, %v", undecided, err)
	}
	d.step(ticket.StepRequest{Number: n, Command: reply.Seq})
	entries := d.timeline(n)
	if got := names(entries[0].Files); !slices.Equal(got, []string{"b.png", "a.png", "c.png"}) {
		t.Errorf("the submission has %v", got)
	}
	last := entries[len(entries)-1]
	if !slices.Equal(names(last.Files), []string{"only.png"}) || last.Body != "" || !last.HasMessage() {
		t.Errorf("a reply with a file and no words is %+v", last)
	}
	if f := last.Files[0]; f.ID != only || f.Ticket != n || f.Width != 10 || f.Height != 20 || f.Deleted != nil {
		t.Errorf("got %+v", f)
	}
}

func TestFiles_thatCannotBeAttachedAreRefusedWithTheirMessage(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	own, others := d.upload(d.customer, "own.png"), d.upload(d.other, "others.png")
	sent := d.upload(d.customer, "sent.png")
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x", Files: []desk.FileID{sent}})
	large := []desk.FileID{d.uploadSized(d.customer, "1", 10<<20), d.uploadSized(d.customer, "2", 10<<20), d.uploadSized(d.customer, "3", 5<<20+1)}
	var many []desk.FileID
	for i := range 11 {
		many = append(many, d.upload(d.customer, fmt.Sprint(i)))
	}
	before := one[int](d, `SELECT count(*) FROM messages`)
	for name, files := range map[string][]desk.FileID{
		"another's": {own, others}, "sent before": {own, sent}, "unknown": {own, desk.NewFileID()}, "malformed": {own, "F-x'"},
		"twice": {own, own}, "eleven": many, "over 25 MiB": large,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Command(t.Context(), d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x", Files: files})
			wantField(t, err, "files")
			sub := submission()
			sub.Files = files
			_, err = d.Submit(t.Context(), d.customer, sub)
			wantField(t, err, "files")
		})
	}
	if after := one[int](d, `SELECT count(*) FROM messages`); after != before {
		t.Errorf("%d messages were stored", after-before)
	}
	if one[bool](d, `SELECT message IS NOT NULL FROM files WHERE id = $1`, own) {
		t.Error("a refused message took a file")
	}
	if commands := one[int64](d, `SELECT last_command FROM tickets WHERE number = $1`, n); commands != 2 {
		t.Errorf("the ticket has %d commands, want 2", commands)
	}
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Files: large[:2]}) // 20 MiB fit
}

func TestFiles_theSameKeyIsAnsweredAsTheFirstTime(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	r := desk.Request{
		Number: n, Verb: ticket.VerbCustomerReply, Body: "x", Files: []desk.FileID{d.upload(d.customer, "a.png")},
		IdempotencyKey: desk.IdempotencyKey{Key: "k", Fingerprint: []byte("f")},
	}
	first := d.ask(d.customer, r)
	if again := d.ask(d.customer, r); !again.Again || again.Seq != first.Seq {
		t.Errorf("got %+v, want %+v again", again, first)
	}
	sub := submission()
	sub.Files = []desk.FileID{d.upload(d.customer, "b.png")}
	sub.IdempotencyKey = desk.IdempotencyKey{Key: "s", Fingerprint: []byte("f")}
	submitted, err := d.Submit(t.Context(), d.customer, sub)
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Submit(t.Context(), d.customer, sub)
	if err != nil || !again.Again || again.Number != submitted.Number {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestFiles_oneOfManyMessagesAtOnceGetsThem(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	file := d.upload(d.customer, "a.png")
	var mu sync.Mutex
	var accepted int
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = d.Command(t.Context(), d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x", Files: []desk.FileID{file}})
			} else {
				sub := submission()
				sub.Files = []desk.FileID{file}
				_, err = d.Submit(t.Context(), d.customer, sub)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				accepted++
			case fault.KindOf(err) != fault.Invalid:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if accepted != 1 {
		t.Errorf("%d messages got one file", accepted)
	}
}

func TestFiles_ofABatchGoToTheirOwnTickets(t *testing.T) {
	d := open(t)
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE tickets IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	of := map[ticket.Number][]string{}
	for i := range 20 {
		all.Go(func() {
			sub, want := submission(), []string{}
			for j := range i % 4 {
				name := fmt.Sprintf("%d-%d.png", i, j)
				sub.Files, want = append(sub.Files, d.upload(d.customer, name)), append(want, name)
			}
			if i%7 == 6 {
				sub.Files = append(sub.Files, desk.NewFileID())
			}
			a, err := d.Submit(context.WithoutCancel(t.Context()), d.customer, sub)
			if i%7 == 6 {
				if fault.KindOf(err) != fault.Invalid {
					t.Errorf("a submission with an unknown file: %v", err)
				}
				return
			}
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			of[a.Number] = want
		})
	}
	d.waitFor(`SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	for n, want := range of {
		d.step(ticket.StepRequest{Number: n, Command: 1})
		if got := names(d.timeline(n)[0].Files); !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", n, got, want)
		}
	}
}

func TestReads_keepFilesApart(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	mine := map[string]desk.FileID{}
	send := func(name string, by desk.Person, verb ticket.Verb, decide bool) {
		mine[name] = d.upload(by, name)
		r := desk.Request{Number: n, Verb: verb, Body: "x", Files: []desk.FileID{mine[name]}}
		if decide {
			d.do(by, r)
		} else {
			d.ask(by, r)
		}
	}
	send("reply", d.agent, ticket.VerbAgentReply, true)
	send("note", d.agent, ticket.VerbNote, true)
	send("customer's", d.customer, ticket.VerbCustomerReply, true)
	send("resolution", d.agent, ticket.VerbResolve, true)
	send("refused", d.agent, ticket.VerbProgressUpdate, true)
	send("undecided", d.agent, ticket.VerbAgentReply, false)
	send("own undecided", d.customer, ticket.VerbCustomerReply, false)
	mine["customer's draft"], mine["agent's draft"] = d.upload(d.customer, "d"), d.upload(d.agent, "d")
	shown := map[string][]string{
		d.customer.Name: {"reply", "customer's", "resolution", "own undecided", "customer's draft"},
		d.other.Name:    nil,
		d.agent.Name:    {"reply", "note", "customer's", "resolution", "refused", "undecided", "own undecided", "agent's draft"},
		d.second.Name:   {"reply", "note", "customer's", "resolution", "refused", "undecided", "own undecided"},
		"":              nil,
	}
	for _, viewer := range []desk.Person{d.customer, d.other, d.agent, d.second, {}} {
		for name, id := range mine {
			f, err := d.File(t.Context(), viewer, id)
			switch want := slices.Contains(shown[viewer.Name], name); {
			case want && (err != nil || f.Blob != "blob-"+string(id) || f.Preview == "" || f.ID != id):
				t.Errorf("%q can't see the file of %q: %+v, %v", viewer.Name, name, f, err)
			case !want && fault.KindOf(err) != fault.NotFound:
				t.Errorf("%q sees the file of %q: %v", viewer.Name, name, err)
			case !want && f.Name != "":
				t.Errorf("%q gets the name of %q with the error", viewer.Name, name)
			}
		}
	}
}

func TestFiles_deletionLeavesTheNameAndWhoDidIt(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	id := d.upload(d.customer, "secret.png")
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x", Files: []desk.FileID{id}})
	keys, err := d.DeleteFile(t.Context(), d.agent, id)
	if err != nil || !slices.Equal(keys, []string{"blob-" + string(id), "preview-" + string(id)}) {
		t.Fatalf("got %v, %v", keys, err)
	}
	if keys, err = d.DeleteFile(t.Context(), d.second, id); err != nil || len(keys) != 0 {
		t.Errorf("deleting again returns %v, %v", keys, err)
	}
	entries := d.timeline(n)
	f := entries[len(entries)-1].Files[0]
	if f.Name != "secret.png" || f.Deleted == nil || f.Deleted.By.ID != d.agent.ID || time.Since(f.Deleted.At).Abs() > time.Minute || f.Previewed() {
		t.Errorf("got %+v", f)
	}
	if stored, err := d.File(t.Context(), d.customer, id); err != nil || stored.Blob != "" || stored.Preview != "" {
		t.Errorf("got %+v, %v", stored, err)
	}
	draft := d.upload(d.customer, "draft.png")
	if keys, _ := d.DeleteFile(t.Context(), d.agent, draft); len(keys) != 0 {
		t.Error("staff delete what another has not sent")
	}
}

func TestFiles_notSentAreDiscardedByTheirUploaderAndSwept(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	draft, old, sent := d.upload(d.customer, "draft"), d.upload(d.customer, "old"), d.upload(d.customer, "sent")
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x", Files: []desk.FileID{sent}})
	_, err := d.DiscardFile(t.Context(), d.other, draft)
	wantKind(t, err, fault.NotFound)
	_, err = d.DiscardFile(t.Context(), d.customer, sent)
	wantKind(t, err, fault.NotFound)
	if err := d.DescribeFile(t.Context(), d.customer, draft, "A blue box"); err != nil {
		t.Fatal(err)
	}
	wantKind(t, d.DescribeFile(t.Context(), d.other, draft, "x"), fault.NotFound)
	wantKind(t, d.DescribeFile(t.Context(), d.customer, sent, "x"), fault.NotFound)
	if f, err := d.File(t.Context(), d.customer, draft); err != nil || f.Alt != "A blue box" {
		t.Errorf("got %+v, %v", f, err)
	}
	d.sql(`UPDATE files SET uploaded_at = uploaded_at - interval '2 days' WHERE id = ANY($1)`, []desk.FileID{old, sent})
	keys, full, err := d.SweepFiles(t.Context(), time.Now().Add(-24*time.Hour))
	if err != nil || full || !slices.Equal(keys, []string{"blob-" + string(old), "preview-" + string(old)}) {
		t.Errorf("swept %v, %v, %v", keys, full, err)
	}
	named, err := d.NamedBlobs(t.Context(), []string{"blob-" + string(sent), "preview-" + string(sent), "blob-" + string(old), "other"})
	if err != nil || len(named) != 2 {
		t.Errorf("named: %v, %v", named, err)
	}
	if keys, err := d.DiscardFile(t.Context(), d.customer, draft); err != nil || len(keys) != 2 {
		t.Errorf("discarded %v, %v", keys, err)
	}
}

func TestSpendUpload_isLimited(t *testing.T) {
	d := open(t)
	limited, err := store.Open(t.Context(), d.dsn, store.Options{Allowances: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(limited.Close)
	for i := range 61 {
		err = limited.SpendUpload(t.Context(), d.customer)
		if i < 60 && err != nil {
			t.Fatalf("upload %d: %v", i+1, err)
		}
	}
	wantKind(t, err, fault.Limited)
	if err := limited.SpendUpload(t.Context(), d.other); err != nil {
		t.Errorf("another's upload: %v", err)
	}
}
