package local

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/text"
)

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"when":    func(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006, 15:04:05 UTC") },
	"stamp":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"snippet": snippet,
}).ParseFS(pageFiles, "page/*.html"))

const (
	pageLength = 100 // mails per page
	// No scripts and no external resources, whatever a mail contains.
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// The HTML of a mail may have styles and open links in a new tab, nothing else.
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)

// Handler serves the mails for development: /dev/mail and below for people, /dev/mail.json for programs: an array,
// newest first, of at most MailboxOptions.Recent mails, with a Link to the next page. Both accept the filters ?to= and
// ?ticket=, and ?before= with the ID to continue from.
func (m *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/mail", m.list)
	mux.HandleFunc("GET /dev/mail.json", m.listJSON)
	mux.HandleFunc("GET /dev/mail/{id}", m.show)
	mux.HandleFunc("GET /dev/mail/{id}/html", m.showHTML)
	if m.opts.Desk.Server != "" {
		mux.HandleFunc("GET /dev/mail/new", m.compose)
		mux.HandleFunc("POST /dev/mail/new", m.write)
		mux.HandleFunc("POST /dev/mail/{id}/answer", m.write)
		mux.HandleFunc("GET /dev/mail/sent", m.sent)
	}
	mux.HandleFunc("GET /dev/mail/mailbox.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "page/mailbox.css")
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// listView is a page of the list.
type listView struct {
	selection
	Total int    // number of all mails, without filters
	Desk  string // address of the desk; empty: it receives no mail
}

// Next returns the URL of the page with older mails.
func (v listView) Next() string { return "/dev/mail?" + v.Older }

// messageView is the page of one mail.
type messageView struct {
	Message
	Fields []field
	Answer *draft // the form to answer it; nil: the desk receives no mail
}

type field struct{ Name, Value string }

// selection is a page of mails that match the filters, newest first.
type selection struct {
	To, Ticket string // the filters
	Messages   []Message
	Older      string // query of the next page; empty on the last
}

// selectMessages reads ?to=, ?ticket= and ?before=. A filter searches all stored mails until the request is cancelled.
func (m *Mailbox) selectMessages(r *http.Request, limit int) selection {
	query := r.URL.Query()
	s := selection{To: query.Get("to"), Ticket: query.Get("ticket"), Messages: []Message{}} // an empty array in JSON
	before, err := strconv.Atoi(query.Get("before"))
	if err != nil {
		before = math.MaxInt
	}
	for message := range m.newestFirst(before) {
		switch {
		case r.Context().Err() != nil:
			return s
		case s.To != "" && !message.reaches(s.To), s.Ticket != "" && !message.mentions(s.Ticket):
			continue
		case len(s.Messages) == limit:
			query.Set("before", strconv.Itoa(s.Messages[limit-1].ID))
			s.Older = query.Encode()
			return s
		}
		s.Messages = append(s.Messages, message)
	}
	return s
}

func (m *Mailbox) list(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	total := m.total
	m.mu.Unlock()
	render(w, "list.html", listView{selection: m.selectMessages(r, pageLength), Total: total, Desk: m.opts.Desk.Address})
}

func (m *Mailbox) listJSON(w http.ResponseWriter, r *http.Request) {
	chosen := m.selectMessages(r, m.opts.Recent)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if chosen.Older != "" {
		w.Header().Set("Link", `</dev/mail.json?`+chosen.Older+`>; rel="next"`)
	}
	_ = json.NewEncoder(w).Encode(chosen.Messages) // fails only when the client is gone
}

func (m *Mailbox) show(w http.ResponseWriter, r *http.Request) {
	message, found := m.messageFor(r)
	if !found {
		http.NotFound(w, r)
		return
	}
	view := messageView{Message: message}
	if answer := answerTo(message); m.opts.Desk.receives(answer.To) {
		view.Answer = &answer
	}
	for name, values := range message.Headers {
		for _, value := range values {
			view.Fields = append(view.Fields, field{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(view.Fields, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	render(w, "message.html", view)
}

// messageFor returns the mail in the path.
func (m *Mailbox) messageFor(r *http.Request) (Message, bool) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return Message{}, false
	}
	return m.find(id)
}

var head = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)

func (m *Mailbox) showHTML(w http.ResponseWriter, r *http.Request) {
	message, found := m.messageFor(r)
	if !found || message.HTML == "" {
		http.NotFound(w, r)
		return
	}
	secure(w, mailPolicy)
	// Links open in a new tab: inside the frame, pages would have no scripts and cookies.
	const base = `<base target="_blank">`
	html := message.HTML
	if at := head.FindStringIndex(html); at != nil {
		html = html[:at[1]] + base + html[at[1]:]
	} else {
		html = base + html
	}
	_, _ = w.Write([]byte(html)) // fails only when the client is gone
}

func render(w http.ResponseWriter, name string, view any) { renderWith(w, http.StatusOK, name, view) }

func renderWith(w http.ResponseWriter, status int, name string, view any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, view); err != nil {
		http.Error(w, "the page could not be rendered", http.StatusInternalServerError)
		return
	}
	secure(w, pagePolicy)
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // fails only when the client is gone
}

func secure(w http.ResponseWriter, policy string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
}

// snippet returns the start of a text on one line.
func snippet(words string) string { return text.Shorten(strings.Join(strings.Fields(words), " "), 140) }
