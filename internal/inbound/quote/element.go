package quote

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const headerNodes = 60 // nodes within which a header of Outlook has its labels

// blocks are the elements that begin and end a line.
var blocks = map[atom.Atom]bool{
	atom.Address: true, atom.Article: true, atom.Aside: true, atom.Blockquote: true, atom.Body: true, atom.Center: true,
	atom.Dd: true, atom.Details: true, atom.Div: true, atom.Dl: true, atom.Dt: true, atom.Fieldset: true, atom.Figcaption: true,
	atom.Figure: true, atom.Footer: true, atom.Form: true, atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true,
	atom.H5: true, atom.H6: true, atom.Header: true, atom.Html: true, atom.Legend: true, atom.Li: true, atom.Main: true,
	atom.Nav: true, atom.Ol: true, atom.P: true, atom.Pre: true, atom.Section: true, atom.Summary: true, atom.Table: true,
	atom.Tbody: true, atom.Tfoot: true, atom.Thead: true, atom.Tr: true, atom.Ul: true,
}

// Classes and IDs of mail programs, in lower case. A reader that rewrites them puts "x_" or "ecx" in front.
var (
	// quoteNames are of elements with a whole quoted mail: Gmail, Proton, Yahoo, Zoho, Spark, Outlook's apps, Tuta, GMX.
	quoteNames = set(`yahoo_quoted|ydpyahoo_quoted|zmail_extra|messagereplysection|mail-editor-reference-message-container` +
		`|ms-outlook-mobile-reference-message|tutanota_quote|qtd-body`)
	// blockquoteNames make a blockquote a quoted mail.
	blockquoteNames = set(`gmail_quote|protonmail_quote|tutanota_quote|iosymail|zmail_extra`)
	// introducingNames are of elements with the line that introduces a quotation: Gmail, Thunderbird, Fastmail.
	introducingNames = set(`gmail_attr|moz-cite-prefix|cite-prefix`)
	// originalNames are of elements that a quoted mail follows, up to the end: Outlook, also for Mac, Hotmail, Zimbra.
	originalNames = set(`divrplyfwdmsg|olk_src_body_section|outlookmessageheader|stopspelling|zwchr`)
	signNames     = set(`gmail_signature|gmail_signature_prefix|moz-signature|signature|protonmail_signature_block|ms-outlook-mobile-signature` +
		`|applemailsignature|zmail_signature_below|sh-signature|yahoo-signature|ymail_signature|tutanota_signature|zimbra_signature`)
)

// within returns the context of the nodes within an element.
func (c context) within(n *html.Node) context {
	blockquote := n.DataAtom == atom.Blockquote
	c.quoted = c.quoted || isNamed(n, quoteNames) || attribute(n, "name") == "messageReplySection" || attribute(n, "data-marker") == "__QUOTED_TEXT__" ||
		blockquote && (strings.EqualFold(attribute(n, "type"), "cite") || attribute(n, "cite") != "" || isNamed(n, blockquoteNames))
	c.soft = c.soft || blockquote
	c.sign = c.sign || isNamed(n, signNames) || attribute(n, "name") == "messageSignatureSection" || attribute(n, "data-signatureblock") == "true" ||
		strings.HasPrefix(attribute(n, "data-marker"), "__SIG_")
	c.introducing = c.introducing || isNamed(n, introducingNames)
	return c
}

// read records what an element says of the line that follows.
func (d *document) read(n *html.Node) {
	switch {
	case isNamed(n, originalNames), attribute(n, "data-marker") == "__DIVIDER__", isOutlookHeader(n):
		d.mark = original
	case attribute(n, "id") == "appendonsend" && followedByRule(n):
		d.mark = original
	}
}

// followedByRule reports whether the next element after one is a rule.
func followedByRule(n *html.Node) bool {
	for n = n.NextSibling; n != nil && (n.Type != html.ElementNode); {
		n = n.NextSibling
	}
	return n != nil && n.DataAtom == atom.Hr
}

// isOutlookHeader reports whether an element is a header as Outlook writes it: below a border, with labels in bold.
func isOutlookHeader(n *html.Node) bool {
	style := strings.ReplaceAll(strings.ToLower(attribute(n, "style")), " ", "")
	bordered := strings.Contains(style, "border-top:") && strings.Contains(style, "solid") ||
		strings.Contains(style, "border-top-style:solid") || strings.Contains(style, "border-style:solidnonenone")
	left := headerNodes
	return n.DataAtom == atom.Div && bordered && boldLabels(n, &left) >= 3
}

// boldLabels counts the words in bold that end with a colon, among the first nodes of an element.
func boldLabels(n *html.Node, left *int) int {
	count := 0
	for c := n.FirstChild; c != nil && *left > 0; c = c.NextSibling {
		*left--
		if c.DataAtom != atom.B && c.DataAtom != atom.Strong {
			count += boldLabels(c, left)
			continue
		}
		text := strings.ReplaceAll(firstText(c, left), "：", ":")
		if len(text) <= labelBytes && strings.HasSuffix(text, ":") {
			count++
		}
	}
	return count
}

func firstText(n *html.Node, left *int) string {
	if n.Type == html.TextNode {
		return clean(n.Data)
	}
	for c := n.FirstChild; c != nil && *left > 0; c = c.NextSibling {
		*left--
		if text := firstText(c, left); text != "" {
			return text
		}
	}
	return ""
}

// unseen reports whether a picture isn't seen, such as one that reports to its server that the mail was opened.
func unseen(n *html.Node) bool {
	tiny := func(size string) bool { return size == "0" || size == "1" || size == "0px" || size == "1px" }
	style := strings.ReplaceAll(strings.ToLower(attribute(n, "style")), " ", "")
	return n.DataAtom == atom.Img && (tiny(attribute(n, "width")) || tiny(attribute(n, "height")) || strings.Contains(style, "display:none"))
}

// isNamed reports whether one of an element's classes or its ID is in a set.
func isNamed(n *html.Node, names map[string]bool) bool {
	for _, a := range n.Attr {
		if a.Key != "class" && a.Key != "id" || len(a.Val) > 500 {
			continue
		}
		for name := range strings.FieldsSeq(strings.ToLower(a.Val)) {
			name = strings.TrimPrefix(strings.TrimPrefix(name, "x_"), "ecx")
			if names[name] || names[strings.TrimRight(name, "0123456789-_")] {
				return true
			}
		}
	}
	return false
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
