package markup

import (
	"cmp"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/holesalemart/supportdesk/internal/text"
)

// minShown is the number of pixels on a side that an image of another server must have to be shown. Smaller ones are there
// to report that a mail is read.
const minShown = 3

// maxAlt is the length in bytes of an image's text.
const maxAlt = 1000

// image writes an image of a mail, or what stands for it.
func (w *writer) image(t html.Token) {
	at := attributesOf(t)
	source := cmp.Or(at["data-src"], at["src"])
	alt := clean(at["alt"])
	if short := text.Truncate(alt, maxAlt); short != alt {
		alt = short + "…"
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(source), ":")
	switch scheme = strings.ToLower(scheme); {
	case w.mode == modeMarkdown || w.mode == modePaste:
		w.imageLink(source, alt)
	case scheme == "cid" && rest != "" && len(rest) <= maxURL:
		w.inline(rest, alt, at)
	case scheme == "http" || scheme == "https":
		if href, safe := safeLink(strings.TrimSpace(source)); safe && !isTracker(at) {
			w.remote(href, alt, at)
		}
	default:
		w.text(alt)
	}
}

// imageLink writes a link to an image, which is not loaded.
func (w *writer) imageLink(source, alt string) {
	href, safe := safeLink(source)
	if !safe || w.plain > 0 {
		w.text(alt)
		return
	}
	w.emit("a", ` href="`+html.EscapeString(href)+`" rel="`+linkRel+`" target="_blank"`, false)
	w.text(cmp.Or(alt, href))
	w.closeTo(len(w.open) - 1)
}

// inline writes an image that came with the mail.
func (w *writer) inline(contentID, alt string, at map[string]string) {
	source := "cid:" + contentID
	if w.mode != modeStore {
		id, err := url.PathUnescape(contentID)
		if w.File == nil || err != nil {
			w.text(alt)
			return
		}
		if source = w.File(strings.Trim(id, "<>")); source == "" {
			w.text(alt)
			return
		}
	}
	w.emit("img", attribute("src", source)+attribute("alt", alt)+size(at), true)
}

// remote writes an image of another server.
func (w *writer) remote(source, alt string, at map[string]string) {
	switch {
	case w.mode == modeStore:
		w.emit("img", attribute("data-src", source)+attribute("alt", alt)+size(at), true)
	case w.RemoteImages:
		w.emit("img", attribute("src", source)+attribute("alt", alt)+size(at)+` loading="lazy" referrerpolicy="no-referrer"`, true)
	default:
		w.emit("span", ` class="remote-image"`+attribute("data-src", source), false)
		w.plain++
		w.text(cmp.Or(strings.TrimSpace(alt), "Image"))
		w.plain--
		w.closeTo(len(w.open) - 1)
	}
}

// isPlaceholder reports whether a span stands for an image of another server.
func isPlaceholder(t html.Token) bool { return attributesOf(t)["data-src"] != "" }

// placeholder writes what stands for an image. A mail can't contain one of its own: it becomes an image that isn't loaded.
func (w *writer) placeholder(t html.Token) {
	t.Attr = []html.Attribute{{Key: "src", Val: attributesOf(t)["data-src"]}}
	w.image(t)
}

// attributesOf returns the attributes of a tag. As in browsers, the first of a name counts.
func attributesOf(t html.Token) map[string]string {
	all := map[string]string{}
	for _, a := range t.Attr {
		if _, there := all[a.Key]; !there {
			all[a.Key] = a.Val
		}
	}
	return all
}

func attribute(key, value string) string { return " " + key + `="` + html.EscapeString(value) + `"` }

// size returns the size that an image is to have, if it is sensible. A style sheet keeps it within its page.
func size(at map[string]string) string {
	var b strings.Builder
	for _, key := range []string{"width", "height"} {
		if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(at[key]), "px")); err == nil && n >= 1 && n <= 4000 {
			b.WriteString(attribute(key, strconv.Itoa(n)))
		}
	}
	return b.String()
}

// hidden matches styles with which an image can't be seen, or not as one.
var hidden = regexp.MustCompile(`display:none|visibility:hidden|mso-hide:all|opacity:0(\.0*)?(;|$)|(^|[;-])(width|height):[0-2](\.\d*)?(px|pt|em|rem|%)?(!important)?(;|$)`)

// isTracker reports whether an image is there to report that a mail is read.
func isTracker(at map[string]string) bool {
	for _, key := range []string{"width", "height"} {
		value := strings.TrimSpace(strings.ToLower(at[key]))
		if n, err := strconv.ParseFloat(strings.TrimRight(value, "px% "), 64); err == nil && n < minShown {
			return true
		}
	}
	_, hides := at["hidden"]
	style := strings.ToLower(strings.Join(strings.Fields(at["style"]), ""))
	return hides || hidden.MatchString(style)
}
