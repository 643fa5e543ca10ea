package local

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"when":    func(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006, 15:04:05 UTC") },
	"stamp":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"snippet": snippet,
}).ParseFS(pageFiles, "page/*.html"))

const (
	// Nothing on these pages runs, and nothing is loaded from elsewhere, whatever a mail says.
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// A mail's own HTML may style itself and open its links in a new tab, and nothing else.
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)

// Handler serves the mails to read, for development only: /dev/mail and the pages below it for people,
// /dev/mail.json for programs: an array, newest first. Both take ?to= and ?ticket= to narrow the list.
func (m *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/mail", m.list)
	mux.HandleFunc("GET /dev/mail.json", m.listJSON)
	mux.HandleFunc("GET /dev/mail/{id}", m.show)
	mux.HandleFunc("GET /dev/mail/{id}/html", m.showHTML)
	mux.HandleFunc("GET /dev/mail/mailbox.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "page/mailbox.css")
	})
	return mux
}

// listView is the page of all mails.
type listView struct {
	To, Ticket string // the filters
	Messages   []Message
	Total      int
}

// messageView is the page of one mail.
type messageView struct {
	Message
	Fields []field
}

type field struct{ Name, Value string }

// newestFirst are the mails that the request's filters let through.
func (m *Mailbox) newestFirst(query url.Values) (filtered []Message, total int) {
	all := m.Messages()
	filtered = []Message{} // an empty array in JSON
	for _, message := range slices.Backward(all) {
		if to := query.Get("to"); to != "" && !message.reaches(to) {
			continue
		}
		if ticket := query.Get("ticket"); ticket != "" && !message.mentions(ticket) {
			continue
		}
		filtered = append(filtered, message)
	}
	return filtered, len(all)
}

func (m *Mailbox) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	messages, total := m.newestFirst(query)
	render(w, "list.html", listView{
		To: query.Get("to"), Ticket: query.Get("ticket"), Messages: messages, Total: total,
	})
}

func (m *Mailbox) listJSON(w http.ResponseWriter, r *http.Request) {
	messages, _ := m.newestFirst(r.URL.Query())
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(messages) // fails only when the client is gone
}

func (m *Mailbox) show(w http.ResponseWriter, r *http.Request) {
	message, found := m.find(r.PathValue("id"))
	if !found {
		http.NotFound(w, r)
		return
	}
	view := messageView{Message: message}
	for name, values := range message.Headers {
		for _, value := range values {
			view.Fields = append(view.Fields, field{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(view.Fields, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	render(w, "message.html", view)
}

var head = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)

func (m *Mailbox) showHTML(w http.ResponseWriter, r *http.Request) {
	message, found := m.find(r.PathValue("id"))
	if !found || message.HTML == "" {
		http.NotFound(w, r)
		return
	}
	secure(w, mailPolicy)
	// Links open in a new tab: inside the frame they would arrive without their scripts and cookies.
	const base = `<base target="_blank">`
	html := message.HTML
	if at := head.FindStringIndex(html); at != nil {
		html = html[:at[1]] + base + html[at[1]:]
	} else {
		html = base + html
	}
	_, _ = w.Write([]byte(html)) // fails only when the client is gone
}

func (m *Mailbox) find(id string) (Message, bool) {
	number, err := strconv.Atoi(id)
	if err != nil {
		return Message{}, false
	}
	all := m.Messages()
	i, found := slices.BinarySearchFunc(all, number, func(message Message, id int) int { return message.ID - id })
	if !found {
		return Message{}, false
	}
	return all[i], true
}

func render(w http.ResponseWriter, name string, view any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, view); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	secure(w, pagePolicy)
	_, _ = page.WriteTo(w) // fails only when the client is gone
}

func secure(w http.ResponseWriter, policy string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
}

// snippet is the beginning of a text on one line.
func snippet(text string) string {
	const length = 140
	words := []rune(strings.Join(strings.Fields(text), " "))
	if len(words) > length {
		return string(words[:length]) + "…"
	}
	return string(words)
}
