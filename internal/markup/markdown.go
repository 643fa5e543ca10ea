package markup

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown reads GitHub's Markdown without HTML: what looks like a tag is text. Line breaks are kept, as people expect
// of a message.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(without(parser.DefaultBlockParsers(), parser.NewHTMLBlockParser())...),
		parser.WithInlineParsers(without(parser.DefaultInlineParsers(), parser.NewRawHTMLParser())...),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)),
	goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		extension.Strikethrough, extension.Linkify, extension.TaskList,
	),
	goldmark.WithRendererOptions(html.WithHardWraps(), renderer.WithNodeRenderers(util.Prioritized(taskBoxes{}, 100))),
)

// without returns parsers without one of them.
func without(all []util.PrioritizedValue, one any) []util.PrioritizedValue {
	var rest []util.PrioritizedValue
	for _, p := range all {
		if p.Value != one {
			rest = append(rest, p)
		}
	}
	return rest
}

// taskBoxes renders the boxes of task lists as characters, since messages contain no form fields.
type taskBoxes struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (taskBoxes) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(east.KindTaskCheckBox, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if box, is := n.(*east.TaskCheckBox); is && entering {
			_, err := w.WriteString(taskBox(box))
			return ast.WalkContinue, err
		}
		return ast.WalkContinue, nil
	})
}

func taskBox(box *east.TaskCheckBox) string {
	if box.IsChecked {
		return "☑ "
	}
	return "☐ "
}

func renderMarkdown(source string) (string, error) {
	var out bytes.Buffer
	if err := markdown.Convert([]byte(source), &out); err != nil {
		return "", err
	}
	return out.String(), nil
}

func parseMarkdown(source []byte) ast.Node { return markdown.Parser().Parse(text.NewReader(source)) }

// Bounds within which goldmark takes a fraction of a second. Beyond them its time grows with the square of the text, or the
// size of its output does.
const (
	maxMarkdown   = 256 << 10
	maxContainers = 20     // quotes and lists that start in one line
	maxDelimiters = 2000   // of emphasis in a block
	maxBrackets   = 1000   // of links in a block
	maxCells      = 20_000 // of tables: every row has all columns
)

// tooComplex reports whether Markdown would take too long to read. It decides by what is written, not by a clock, so
// that a message looks the same every time.
func tooComplex(source string) bool {
	if len(source) > maxMarkdown {
		return true
	}
	var brackets, delimiters, columns, lines int
	for line := range strings.SplitSeq(source, "\n") {
		lines++
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed == ">" {
			brackets, delimiters = 0, 0
			continue
		}
		brackets += strings.Count(line, "[")
		delimiters += strings.Count(line, "*") + strings.Count(line, "_") + strings.Count(line, "~") + strings.Count(line, "`")
		if strings.Trim(trimmed, "|-: \t>") == "" {
			columns = max(columns, strings.Count(line, "|")+1)
		}
		if brackets > maxBrackets || delimiters > maxDelimiters || containers(line) > maxContainers {
			return true
		}
	}
	return columns > 1 && columns*lines > maxCells
}

// containers returns how many quotes and lists a line can start.
func containers(line string) int {
	n := 0
	for i := range len(line) {
		switch c := line[i]; {
		case c == '>' || c == '-' || c == '+' || c == '*' || c == '.' || c == ')':
			n++
		case c == ' ' || c == '\t' || c >= '0' && c <= '9':
		default:
			return n
		}
	}
	if strings.Trim(line, line[:min(1, len(line))]+" \t") == "" && !strings.HasPrefix(strings.TrimSpace(line), ">") && !strings.Contains(strings.TrimSpace(line), " ") {
		return 0 // a thematic break or the underline of a heading
	}
	return n
}
