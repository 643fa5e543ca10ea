package browsertest

import (
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// watch records faults and requests of a page. The browser calls see; the test reads.
type watch struct {
	mu       sync.Mutex
	faults   []string
	forgiven []string
	requests map[network.RequestID]*request
	bytes    float64 // received since the last reset, compressed and with headers
	loads    []string
}

type request struct {
	url    string
	loader cdp.LoaderID // of the document
	stream bool         // never ends by itself
	done   bool
}

func newWatch() *watch { return &watch{requests: map[network.RequestID]*request{}} }

// see handles an event. It runs where messages of the browser are read, so it must not send requests.
func (w *watch) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.fault("console %s: %s", e.Type, words(e.Args))
		}
	case *runtime.EventExceptionThrown:
		w.fault("uncaught exception: %s", exception(e.ExceptionDetails))
	case *log.EventEntryAdded:
		w.entry(e.Entry)
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			w.fault("Content-Security-Policy: %s violated by %s", d.ViolatedDirective, or(d.BlockedURL, "something inline"))
		}
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			w.leave(e.Frame.LoaderID)
		}
	case *inspector.EventTargetCrashed:
		w.fault("the page crashed")
	default:
		w.network(event)
	}
}

// entry handles a log entry of the browser. Entries about requests are ignored in favour of network events.
func (w *watch) entry(e *log.Entry) {
	if e.Source != log.EntrySourceNetwork && (e.Level == log.EntryLevelError || e.Level == log.EntryLevelWarning) {
		w.fault("%s %s: %s", e.Source, e.Level, e.Text)
	}
}

func (w *watch) network(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.requests[e.RequestID] = &request{url: e.Request.URL, loader: e.LoaderID, stream: e.Type == network.ResourceTypeEventSource}
	case *network.EventResponseReceived:
		if bad(e.Type, e.Response.Status) {
			w.fault("%s answered %d", path(e.Response.URL), e.Response.Status)
		}
	case *network.EventLoadingFinished:
		w.bytes += e.EncodedDataLength
		w.finish(e.RequestID, int(e.EncodedDataLength))
	case *network.EventLoadingFailed:
		if !e.Canceled && e.ErrorText != "net::ERR_ABORTED" { // aborted by navigation
			w.fault("%s failed: %s %s", path(w.finish(e.RequestID, 0)), e.ErrorText, e.BlockedReason)
			return
		}
		w.finish(e.RequestID, 0)
	}
}

func (w *watch) finish(id network.RequestID, size int) string {
	r := w.requests[id]
	if r == nil {
		return "something"
	}
	r.done = true
	w.loads = append(w.loads, fmt.Sprintf("%s (%d bytes)", path(r.url), size))
	return r.url
}

// leave forgets pending requests of the previous page, for which there are no more events.
func (w *watch) leave(next cdp.LoaderID) {
	for _, r := range w.requests {
		r.done = r.done || r.loader != next
	}
}

// bad reports whether a status is a defect of the page. A person may open missing pages and enter invalid input; the
// page itself may request neither.
func bad(kind network.ResourceType, status int64) bool {
	switch kind {
	case network.ResourceTypeDocument:
		return status >= 500
	case network.ResourceTypeXHR, network.ResourceTypeFetch:
		return status >= 400 && status != 409 && status != 422 && status != 429
	}
	return status >= 400
}

func (w *watch) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// unforgiven returns the faults that the test did not expect.
func (w *watch) unforgiven() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, fault := range w.faults {
		if !w.forgives(fault) {
			all = append(all, fault)
		}
	}
	return all
}

func (w *watch) forgives(fault string) bool {
	for _, part := range w.forgiven {
		if strings.Contains(fault, part) {
			return true
		}
	}
	return false
}

// pending returns the requests in progress, except event streams.
func (w *watch) pending() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, r := range w.requests {
		if !r.done && !r.stream {
			all = append(all, path(r.url))
		}
	}
	return all
}

func (w *watch) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes, w.loads = 0, nil
	clear(w.requests)
}

func (w *watch) weight() (float64, []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes, w.loads
}

func words(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		if text := strings.Trim(string(a.Value), `"`); text != "" {
			all = append(all, text)
		} else {
			all = append(all, a.Description)
		}
	}
	return strings.Join(all, " ")
}

func exception(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}

func path(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.RequestURI()
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
