package mail

import (
	"html/template"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/markup"
)

// messageText returns the paragraphs of a mail's message for its text part.
func messageText(data desk.MailData) [][]string { return paragraphs(plain(data.Body, data.Format)) }

// plain returns a message as text: Markdown without its marks.
func plain(body string, format desk.Format) string {
	if format == desk.FormatMarkdown {
		return markup.PlainText(body)
	}
	return body
}

// messageHTML returns a mail's message for its HTML part. It is empty if there is none.
func messageHTML(data desk.MailData, cfg Config) template.HTML {
	prefix, _, _ := strings.Cut(string(data.Number), "-")
	paths := desk.TicketPaths(prefix, data.Kind.ToStaff())
	return markup.Message(data.Body, data.Format == desk.FormatMarkdown, markup.Options{
		Styles: messageStyles,
		Ticket: func(number string) string {
			if path := paths(number); path != "" {
				return cfg.BaseURL + path
			}
			return ""
		},
	})
}

// messageStyles are the styles of a message's elements. They set no colours but that of lines, which is readable on light
// and dark backgrounds, so that mail programs may choose the others.
var messageStyles = map[string]string{
	"p": "margin: 0.9em 0; overflow-wrap: anywhere", "a": "overflow-wrap: anywhere",
	"h3": "margin: 1em 0 0.5em; font-size: 18px", "h4": "margin: 1em 0 0.5em; font-size: 17px",
	"h5": "margin: 1em 0 0.5em; font-size: 16px", "h6": "margin: 1em 0 0.5em; font-size: 16px",
	"ul": "margin: 0.9em 0; padding: 0 1.5em", "ol": "margin: 0.9em 0; padding: 0 1.5em",
	"blockquote": "margin: 0.9em 0; padding: 0.1em 1em; border: 1px solid #8a8f98; border-radius: 6px",
	"pre":        "margin: 0.9em 0; padding: 0.6em 0.8em; overflow-x: auto; border: 1px solid #8a8f98; border-radius: 6px; white-space: pre-wrap; text-align: left",
	"code":       "font-family: ui-monospace, menlo, consolas, monospace; font-size: 14px; overflow-wrap: anywhere",
	"table":      "margin: 0.9em 0; border-collapse: collapse",
	"td":         "padding: 0.3em 0.6em; border: 1px solid #8a8f98; vertical-align: top", "th": "padding: 0.3em 0.6em; border: 1px solid #8a8f98; vertical-align: top",
	"hr": "margin: 1em 0; border: 0; border-top: 1px solid #8a8f98",
}
