package markup

import (
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/strikethrough"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
)

var toMarkdown = converter.NewConverter(converter.WithPlugins(
	base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(), strikethrough.NewStrikethroughPlugin(), table.NewTablePlugin(),
))

// levels undoes that headings are shown below those of a page. In sanitized HTML, < begins nothing but a tag.
var levels = strings.NewReplacer("<h3", "<h1", "</h3", "</h1", "<h4", "<h2", "</h4", "</h2", "<h5", "<h3", "</h5", "</h3", "<h6", "<h4", "</h6", "</h4")

// FromHTML returns HTML as Markdown, such as what people paste. It is sanitized first, and images become links. HTML that
// can't be converted is returned as its text.
func FromHTML(pasted string) string {
	safe := levels.Replace(string(write(pasted, Options{}, modePaste)))
	if len(safe) <= maxMarkdown && strings.Count(safe, "[") <= maxBrackets { // with more it takes seconds
		if converted, err := toMarkdown.ConvertString(safe); err == nil {
			return strings.TrimSpace(clean(converted))
		}
	}
	return strings.TrimSpace(clean(textOf(safe)))
}
