package browsertest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Look is how a person sees pages. The zero value is a light desktop window of 1440 by 900 with scripts, in UTC.
type Look struct {
	Width, Height int64 // CSS pixels
	Dark          bool
	NoScript      bool
	Zone          string // IANA name
}

// Page is one person's window. Its methods belong to the test's goroutine and fail the test.
type Page struct {
	t     testing.TB
	ctx   context.Context
	base  string
	watch *watch
	dumps int
}

// Open gives a person a private window on a site, base being the URL that paths are relative to. When the test ends,
// it fails if anything went wrong in the window that was not forgiven.
func Open(t testing.TB, base string, look Look) *Page {
	t.Helper()
	Require(t)
	browser, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	w := newWatch()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.see))
	p := &Page{t: t, ctx: ctx, base: base, watch: w}
	if err := chromedp.Do(ctx, enable(ctx)); err != nil {
		cancel()
		t.Fatalf("open a window: %v", err)
	}
	t.Cleanup(func() {
		p.checkFaults()
		cancel()
	})
	p.Look(look)
	return p
}

// enable switches on what the watch looks at, and answers dialogs, which would block the page, with yes.
func enable(ctx context.Context) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(_ context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, audits.Enable, cdp.Empty{}); err != nil {
			return err
		}
		dialogs := chromedp.Events(ctx, page.JavascriptDialogOpening)
		go func() {
			for _, err := range dialogs {
				if err != nil {
					return
				}
				_, _ = cdp.Call(ctx, t, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
			}
		}()
		return nil
	})
}

// Look changes how the person sees this page and the next ones. Movement is reduced always: what fades in can
// neither be measured nor clicked.
func (p *Page) Look(look Look) {
	p.t.Helper()
	if look.Width == 0 {
		look.Width = 1440
	}
	if look.Height == 0 {
		look.Height = 900
	}
	if look.Zone == "" {
		look.Zone = "UTC"
	}
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	p.do("change how the window looks", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: look.Width, Height: look.Height, DeviceScaleFactor: 1,
		}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			},
		}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: look.Zone}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: look.NoScript})
		return err
	}))
}

// Goto opens a path of the site, or a whole URL of it as a mail has it, and returns when the page has loaded.
func (p *Page) Goto(path string) {
	p.t.Helper()
	p.watch.reset()
	if strings.HasPrefix(path, "/") {
		path = p.base + path
	}
	p.do("open "+path, chromedp.Navigate(path))
}

// Reload loads the page again, as F5 does.
func (p *Page) Reload() {
	p.t.Helper()
	p.watch.reset()
	p.do("reload", chromedp.Reload())
}

// Back goes back to the page before, as the browser's button does.
func (p *Page) Back() {
	p.t.Helper()
	if _, err := evaluate[bool](p, `history.back(), true`); err != nil {
		p.fail("go back: %v", err)
	}
}

// NoCache makes every load a first one.
func (p *Page) NoCache() {
	p.t.Helper()
	p.do("switch the cache off", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		return err
	}))
}

// Forgive lets faults pass that contain one of the texts, also those from before.
func (p *Page) Forgive(texts ...string) {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	p.watch.forgiven = append(p.watch.forgiven, texts...)
}

// Faults are what went wrong in the window so far and was not forgiven: errors and warnings in the console, uncaught
// exceptions, violations of the Content-Security-Policy, failed requests and answers that a page must not cause.
func (p *Page) Faults() []string {
	p.t.Helper()
	_ = p.perform(chromedp.Evaluate[chromedp.Void]("0")) // what was sent before its answer has been seen
	return p.watch.unforgiven()
}

// TakeFaults gives what Faults does, once: the next page begins with none.
func (p *Page) TakeFaults() []string {
	p.t.Helper()
	faults := p.Faults()
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	p.watch.faults = nil
	return faults
}

func (p *Page) checkFaults() {
	p.t.Helper()
	if faults := p.Faults(); len(faults) > 0 {
		p.t.Errorf("in the window:\n  %s", strings.Join(faults, "\n  "))
	}
}

// do performs an action and fails the test if it can't be done.
func (p *Page) do(what string, action chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := p.perform(action); err != nil {
		p.fail("%s: %v", what, err)
	}
}

func (p *Page) perform(action chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, action)
}

// evaluate runs an expression in the page. It works without scripts too: they are the page's, this is the browser's.
func evaluate[T any](p *Page, expression string, options ...chromedp.EvaluateOption) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
}

// lookAgain is the time between two looks at a condition.
const lookAgain = 25 * time.Millisecond
