package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/store"
)

const pagesEach = 30 // that a person may have open

// livePages measures how soon open pages learn of a change, from its commit.
func livePages(b *bench) error {
	s, work, err := b.startStaffed()
	if err != nil {
		return err
	}
	defer s.stop()
	n := min(b.scaled(b.settings.Pages), pagesEach*agents)
	pages, err := s.openPages(b.ctx, n)
	if err != nil {
		return err
	}
	defer pages.close()
	var heard samples
	changes := b.scaled(b.settings.Changes)
	for i := range changes {
		number := work.tickets[i%len(work.tickets)]
		if err := s.agents[0].command(b.ctx, number, "notes", fields{"body": "A note."}); err != nil {
			return err
		}
		var committed time.Time // at the latest: it is recorded before the commit
		if err := s.pool.QueryRow(b.ctx, `SELECT max(recorded_at) FROM events WHERE ticket = $1`, number).Scan(&committed); err != nil {
			return err
		}
		err := s.await(b.ctx, "all pages", func() (bool, error) { return pages.heard(number, committed, nil), pages.failed() })
		if err != nil {
			return err
		}
		pages.heard(number, committed, &heard)
	}
	name := fmt.Sprintf("change on %d open pages, from its record", n)
	b.report.add(
		millis(name+", p50", heard.percentile(50), heard.len()),
		millis(name+", p95", heard.percentile(95), heard.len()).atMost(300),
		millis(name+", the last", heard.percentile(100), heard.len()))
	return nil
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

// signIn signs a person in with a link, as a browser does.
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
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, link, strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := browser.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
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
