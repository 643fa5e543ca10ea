package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/store"
)

const pagesEach = 30 // that a person may have open

// livePages measures how soon open pages learn of a change, beside a bare server of events.
func livePages(b *bench) error {
	s, work, err := b.startStaffed()
	if err != nil {
		return err
	}
	defer s.stop()
	n := min(b.scaled(b.settings.Pages), pagesEach*agents)
	open, err := s.openPages(b.ctx, n)
	if err != nil {
		return err
	}
	defer open.close()
	changes := b.scaled(b.settings.Changes)
	heard, err := s.changesHeard(b.ctx, open, changes, func(i int) (number string, recorded time.Time, err error) {
		number = work.tickets[i%len(work.tickets)]
		if err := s.agents[0].command(b.ctx, number, "notes", fields{"body": "A note."}); err != nil {
			return number, recorded, err
		}
		// The record precedes the commit.
		err = s.pool.QueryRow(b.ctx, `SELECT max(recorded_at) FROM events WHERE ticket = $1`, number).Scan(&recorded)
		return number, recorded, err
	})
	if err != nil {
		return err
	}
	bare, err := s.bareChangesHeard(b.ctx, n, changes)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("change on %d open pages, from its record", n)
	figureOf := func(name string, percent float64) figure {
		return millis(name, heard.percentile(percent), heard.len()).beside(inMillis(bare.percentile(percent)), "bare server of events")
	}
	b.report.add(figureOf(name+", p50", 50), figureOf(name+", p95", 95).atMost(300), figureOf(name+", the last", 100))
	return nil
}

// changesHeard makes changes, each when all pages have heard of the one before, and returns how long each page took.
func (s *stack) changesHeard(ctx context.Context, open *pages, changes int, change func(i int) (number string, recorded time.Time, err error)) (*samples, error) {
	heard := &samples{}
	for i := range changes {
		number, recorded, err := change(i)
		if err != nil {
			return nil, err
		}
		err = s.await(ctx, "all pages", func() (bool, error) { return open.heard(number, recorded, nil), open.failed() })
		if err != nil {
			return nil, err
		}
		open.heard(number, recorded, heard)
	}
	return heard, nil
}

// bareChangesHeard measures pages of a server that does nothing but pass on PostgreSQL's notifications of a row.
func (s *stack) bareChangesHeard(ctx context.Context, n, changes int) (*samples, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	server, err := s.startStreams(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	open := &pages{stop: stop}
	defer open.close()
	browser := &http.Client{Transport: &http.Transport{}}
	defer browser.CloseIdleConnections()
	for range n {
		if err := open.follow(ctx, browser, server.URL); err != nil {
			return nil, err
		}
	}
	return s.changesHeard(ctx, open, changes, func(i int) (number string, recorded time.Time, err error) {
		number = fmt.Sprint("BARE-", i)
		err = s.pool.QueryRow(ctx, `WITH row AS (INSERT INTO bare_changes VALUES ($1) RETURNING at)
			SELECT at FROM row, pg_notify('bare_changes', $1)`, number).Scan(&recorded)
		return number, recorded, err
	})
}

// streams are the open streams of a bare server of events.
type streams struct {
	mu   sync.Mutex
	open []chan string
}

func (s *stack) startStreams(ctx context.Context) (*httptest.Server, error) {
	conn, err := pgx.Connect(ctx, s.postgres.DSN("supportdesk"))
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `CREATE TABLE bare_changes (number text, at timestamptz DEFAULT clock_timestamp()); LISTEN bare_changes`)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	all := &streams{}
	go func() {
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		for {
			change, err := conn.WaitForNotification(ctx)
			if err != nil {
				return // the measurement has ended, or waits in vain
			}
			all.publish(change.Payload)
		}
	}()
	return httptest.NewServer(http.HandlerFunc(all.serve)), nil
}

func (a *streams) publish(number string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, stream := range a.open {
		stream <- number
	}
}

func (a *streams) serve(w http.ResponseWriter, r *http.Request) {
	changes := make(chan string, 16) // a change is published when all have heard of the one before
	a.mu.Lock()
	a.open = append(a.open, changes)
	a.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	_, err := fmt.Fprint(w, "event: open\ndata: \n\n")
	for err == nil && flush.Flush() == nil {
		select {
		case number := <-changes:
			_, err = fmt.Fprintf(w, "event: ticket\ndata: %s\n\n", number)
		case <-r.Context().Done():
			return
		}
	}
}

// pages are open pages of staff: streams of server-sent events.
type pages struct {
	stop   context.CancelFunc
	ended  sync.WaitGroup
	mu     sync.Mutex
	open   []map[string][]time.Time // by page and ticket: when it heard of a change
	broken error
}

func (s *stack) openPages(ctx context.Context, n int) (*pages, error) {
	ctx, stop := context.WithCancel(ctx)
	p := &pages{stop: stop}
	db, err := store.Open(ctx, s.postgres.DSN("supportdesk"), store.Options{})
	if err != nil {
		return p, err
	}
	defer db.Close()
	accounts := account.New(db.Accounts(), s.base)
	var browser *http.Client
	for i := range n {
		if i%pagesEach == 0 {
			if browser, err = s.signIn(ctx, accounts, s.agents[i/pagesEach]); err != nil {
				p.close()
				return p, err
			}
		}
		if err := p.follow(ctx, browser, s.base); err != nil {
			p.close()
			return p, err
		}
	}
	return p, nil
}

// signIn signs a person in with a link, as a browser does. It does not open the page to which the response leads.
func (s *stack) signIn(ctx context.Context, accounts *account.Service, who *person) (*http.Client, error) {
	link, err := accounts.CreateLink(ctx, who.address, time.Hour)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar, Transport: clients.Transport} // without a time limit
	signingIn := *browser
	signingIn.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, link, strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := signingIn.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("sign in: %s", response.Status)
	}
	return browser, nil
}

// follow opens a page and waits for its first event.
func (p *pages) follow(ctx context.Context, browser *http.Client, base string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/desk/live", nil)
	if err != nil {
		return err
	}
	response, err := browser.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // the status says it all
		return fmt.Errorf("open a page: %s", response.Status)
	}
	page := map[string][]time.Time{}
	p.mu.Lock()
	p.open = append(p.open, page)
	p.mu.Unlock()
	opened := make(chan struct{})
	p.ended.Go(func() {
		defer func() { _ = response.Body.Close() }()
		event := ""
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if name, found := strings.CutPrefix(lines.Text(), "event: "); found {
				event = name
			} else if data, found := strings.CutPrefix(lines.Text(), "data: "); found && event == "open" {
				close(opened)
			} else if found && event == "ticket" {
				now := time.Now()
				p.mu.Lock()
				page[data] = append(page[data], now)
				p.mu.Unlock()
			}
		}
		if ctx.Err() == nil {
			p.mu.Lock()
			p.broken = errors.New("a page's stream ended")
			p.mu.Unlock()
		}
	})
	select {
	case <-opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// heard reports whether every page has heard of a ticket since an instant, and adds how long each took.
func (p *pages) heard(number string, since time.Time, taken *samples) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, page := range p.open {
		var first time.Time
		for _, at := range page[number] {
			if first.IsZero() && !at.Before(since) {
				first = at
			}
		}
		if first.IsZero() {
			return false
		}
		if taken != nil {
			taken.add(first.Sub(since))
		}
	}
	return true
}

func (p *pages) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

func (p *pages) close() {
	p.stop()
	p.ended.Wait()
}
