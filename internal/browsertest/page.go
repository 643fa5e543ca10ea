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

// Look is the appearance of pages. The zero value is a light desktop window of 1440 by 900 with scripts, in UTC.
type Look struct {
	Width, Height int64 // CSS pixels
	Dark          bool
	NoScript      bool
	Zone          string // IANA name
}

// Page is a window of a person. Its methods must be called by the goroutine of the test, and fail the test.
type Page struct {
	t     testing.TB
	ctx   context.Context
	base  string
	watch *watch
	dumps int
}

// Open opens a private window for a site; base is the URL that paths are relative to. When the test ends, it fails for
// all faults that were not forgiven.
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

// enable enables the events that the watch needs, and accepts dialogs, which would block the page.
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

// Look changes the appearance. Motion is always reduced: elements that fade in can be neither measured nor clicked.
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

// Goto opens a path, or a URL of the site from a mail, and returns when the page has loaded.
func (p *Page) Goto(path string) {
	p.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = p.base + path
	}
	p.load("open "+path, func(ctx context.Context, t *chromedp.Target) (string, error) {
		answer, err := cdp.Call(ctx, t, page.Navigate, page.NavigateParams{URL: path})
		return answer.ErrorText, err
	})
}

// Reload reloads the page, and returns when it has loaded.
func (p *Page) Reload() {
	p.t.Helper()
	p.load("reload", func(ctx context.Context, t *chromedp.Target) (string, error) {
		_, err := cdp.Call(ctx, t, page.Reload, page.ReloadParams{})
		return "", err
	})
}

// load starts a navigation and waits until a document other than the present one has loaded. chromedp's own wait follows
// the events of one navigation, and waits in vain if it picks one that a script of the page before had begun. start returns
// the browser's error text.
func (p *Page) load(what string, start func(context.Context, *chromedp.Target) (string, error)) {
	p.t.Helper()
	p.watch.reset()
	p.Until("the present document is marked", `document.isLeft = true`)
	for tries := 1; ; tries++ {
		var fault string
		err := p.perform(chromedp.Func(func(ctx context.Context, t *chromedp.Target) (err error) {
			fault, err = start(ctx, t)
			return err
		}))
		if err == nil && fault == "" {
			break
		}
		if fault != "net::ERR_ABORTED" || tries == 10 { // else a script of the page before went elsewhere at that moment
			p.fail("%s: %s %v", what, fault, err)
		}
	}
	p.Until("the page has loaded, to "+what, `document.readyState === "complete" && !document.isLeft`)
}

// Back goes back in the history.
func (p *Page) Back() {
	p.t.Helper()
	if _, err := evaluate[bool](p, `history.back(), true`); err != nil {
		p.fail("go back: %v", err)
	}
}

// NoCache disables the cache.
func (p *Page) NoCache() {
	p.t.Helper()
	p.do("switch the cache off", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		return err
	}))
}

// Forgive ignores faults that contain one of the texts, including earlier ones.
func (p *Page) Forgive(texts ...string) {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	p.watch.forgiven = append(p.watch.forgiven, texts...)
}

// Faults returns what went wrong in the window so far and was not forgiven: console errors and warnings, uncaught
// exceptions, violations of the Content-Security-Policy, failed requests and unexpected responses.
func (p *Page) Faults() []string {
	p.t.Helper()
	_ = p.perform(chromedp.Evaluate[chromedp.Void]("0")) // flush earlier events
	return p.watch.unforgiven()
}

// TakeFaults returns the faults and clears them.
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

// do performs an action and fails the test on an error.
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

// evaluate evaluates an expression. It works without scripts, too, because it is not part of the page.
func evaluate[T any](p *Page, expression string, options ...chromedp.EvaluateOption) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
}

// lookAgain is the time between two looks at a condition.
const lookAgain = 25 * time.Millisecond
