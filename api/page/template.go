package page

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/text"
)

//go:embed all:templates
var templates embed.FS

func ownTemplates() fs.FS {
	own, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return own
}

// set contains the parsed pages of an area, each with the layout and the area's shared templates.
type set struct{ pages map[string]*template.Template }

// parse parses the pages of an area. A file whose name begins with _ is not a page; all pages can use its templates.
func (e *Engine) parse(files fs.FS) (*set, error) {
	base, err := template.New("page").Option("missingkey=error").Funcs(e.functions()).ParseFS(ownTemplates(), "_*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the layout: %w", err)
	}
	if shared, _ := fs.Glob(files, "_*.html"); len(shared) > 0 { // the pattern is well formed
		if base, err = base.ParseFS(files, "_*.html"); err != nil {
			return nil, fmt.Errorf("parse shared templates: %w", err)
		}
	}
	names, err := fs.Glob(files, "[a-z]*.html")
	if err != nil {
		return nil, err
	}
	s := &set{pages: map[string]*template.Template{}}
	for _, name := range names {
		page, err := base.Clone()
		if err == nil {
			page, err = page.ParseFS(files, name)
		}
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		if page.Lookup("main") == nil {
			return nil, fmt.Errorf("%s defines no main", name)
		}
		s.pages[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return s, nil
}

func (s *set) execute(w io.Writer, name, block string, view any) error {
	page, there := s.pages[name]
	if !there {
		return fmt.Errorf("there is no page %q", name)
	}
	return page.ExecuteTemplate(w, block, view)
}

// functions returns the functions that templates may call besides the methods of Layout.
func (e *Engine) functions() template.FuncMap {
	return template.FuncMap{
		"asset":      e.assets.address,
		"paragraphs": paragraphs,
		"dict":       dict,
		"plain":      markup.PlainText,
		"plural":     plural,
		"initials":   initials,
		"short":      short,
	}
}

// paragraphs splits plain text at empty lines, and each paragraph at its line breaks.
func paragraphs(text string) [][]string {
	var all [][]string
	var lines []string
	for line := range strings.Lines(text + "\n\n") {
		line = strings.TrimRight(line, "\r\n\t ")
		switch {
		case line != "":
			lines = append(lines, line)
		case lines != nil:
			all = append(all, lines)
			lines = nil
		}
	}
	return all
}

// dict returns a map for a shared template with several parameters: dict "name" value …
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict has a name without a value")
	}
	values := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict has a name that is no text: %v", pairs[i])
		}
		values[name] = pairs[i+1]
	}
	return values, nil
}

// plural returns a number with its noun: plural 1 "ticket" "tickets".
func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", one)
	}
	return fmt.Sprintf("%d %s", n, many)
}

// initials returns at most two initials of a name.
func initials(name string) string {
	words := strings.Fields(name)
	letters := ""
	for i, word := range words {
		if i == 0 || i == len(words)-1 {
			r, _ := utf8.DecodeRuneInString(word)
			letters += strings.ToUpper(string(r))
		}
	}
	return letters
}

// short returns a text of people as one line of at most limit characters. Texts from before such lines were checked may contain what changes
// the text around them.
func short(limit int, line string) string { return text.Shorten(text.Line(line), limit) }

// Sentence returns a message with a capital letter and a full stop.
func Sentence(message string) string {
	first, size := utf8.DecodeRuneInString(message)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + message[size:] + "."
}
