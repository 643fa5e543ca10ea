package automatic

import (
	"bytes"
	"regexp"
	"strings"
)

// Action is what a mail server did with a mail for one recipient, by RFC 3464.
type Action string

// Actions. Only a failed mail did not arrive and will not.
const (
	Failed    Action = "failed"
	Delayed   Action = "delayed" // the server goes on trying
	Delivered Action = "delivered"
	Relayed   Action = "relayed"  // to a server that reports nothing
	Expanded  Action = "expanded" // to several recipients
)

// BouncedRecipient is what a delivery report says of one recipient.
type BouncedRecipient struct {
	// Address is the recipient that the mail was sent to, as far as the report says: its Original-Recipient, otherwise Final.
	Address string
	Final   string // the recipient after forwarding, where it differs
	Action  Action
	Status  string // the enhanced status code of RFC 3463, such as 5.1.1; empty: none
	Cause   Cause
	// Hard says that the address itself doesn't work, so that the next mail to it fails as well. A full mailbox, a mail that
	// was refused for its contents or its sender, and a server that couldn't be reached are not hard.
	Hard       bool
	Diagnostic string // what the server said, in one line
}

// fields are the fields of one block of a report, by their names in lower case.
type fields map[string]string

// isReport reports whether a mail is a report as a whole, and not a person's mail with one attached: mail programs attach the
// parts of a report that a person forwards. A list that passes a report on changes its type and its sender; nothing of a list is
// answered anyway.
func (m Mail) isReport() bool {
	return m.fromOtherList() || reportType.MatchString(m.header("Content-Type")) || m.empty() || m.fromDaemon() || m.fromPostmaster() || m.sentByProgram()
}

var (
	reportType   = regexp.MustCompile(`(?i)^multipart/report\b`)
	statusReport = regexp.MustCompile(`(?i)^multipart/report\b.*\breport-type="?delivery-status\b`)
)

// deliveryReport reads the reports of RFC 3464 and RFC 6533.
func (m Mail) deliveryReport() (Verdict, bool) {
	if !m.isReport() {
		return Verdict{}, false
	}
	kind, words := "", ""
	var reported []BouncedRecipient
	for _, part := range m.Reports {
		if part.Type != "message/delivery-status" && part.Type != "message/global-delivery-status" {
			continue
		}
		kind = part.Type
		body := string(bounded(part.Body))
		if reported = recipients(body); len(reported) > 0 {
			break
		}
		if blocks(strings.TrimSpace(body))[0]["reporting-mta"] == "" {
			words += body // some servers give their words this type, too
		}
	}
	text, _ := returned(m.Text)
	words += text
	if kind == "" && statusReport.MatchString(m.header("Content-Type")) { // its part has another type, or is missing
		kind, reported = "report-type=delivery-status", recipients(words)
	}
	if kind == "" {
		return Verdict{}, false
	}
	made, _ := makerOf(words, m.Subject)
	return Verdict{Kind: Bounce, Reason: "delivery report (" + kind + ")", Bounces: explained(reported, m.fromWords(made, words))}, true
}

// recipients reads the blocks of a report that are about a recipient. Blocks that are about the whole mail, and lines that
// are no fields, are skipped: the same report may stand in the words of a mail.
func recipients(report string) []BouncedRecipient {
	var all []BouncedRecipient
	for _, block := range blocks(report) {
		address, final := recipientOf(block["original-recipient"]), recipientOf(block["final-recipient"])
		if address == "" {
			address, final = final, ""
		}
		if block["action"] == "" && block["status"] == "" || address == "" || len(all) == maxRecipients {
			continue
		}
		if strings.EqualFold(address, final) {
			final = ""
		}
		all = append(all, judged(BouncedRecipient{
			Address: address, Final: final, Action: actionOf(block["action"]), Status: statusCode.FindString(block["status"]),
			Diagnostic: block["diagnostic-code"],
		}, block["status"]))
	}
	return all
}

var (
	fieldLine  = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]{0,63})[ \t]*:[ \t]*(.*)$`)
	statusCode = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)
)

// blocks splits a report at its empty lines into blocks of unfolded fields.
func blocks(report string) []fields {
	var all []fields
	block, last := fields{}, ""
	for line := range strings.Lines(report) {
		line = strings.TrimRight(line, "\r\n \t")
		switch field := fieldLine.FindStringSubmatch(line); {
		case line == "":
			all, block, last = append(all, block), fields{}, ""
		case field != nil:
			last = strings.ToLower(field[1])
			if _, doubled := block[last]; doubled {
				last = "" // the first one counts, with its folded lines
			} else {
				block[last] = field[2]
			}
		case last != "" && len(block[last]) < maxDiagnostic && (line[0] == ' ' || line[0] == '\t'):
			block[last] += " " + strings.TrimSpace(line)
		}
	}
	return append(all, block)
}

// recipientOf returns the address of a recipient field, "rfc822; someone@example.com", or "" if it is of another kind.
func recipientOf(field string) string {
	kind, address, typed := strings.Cut(field, ";")
	if !typed {
		address = kind
	}
	return bare(address)
}

// bare returns an address in the form in which addresses are compared, or "" if it is none.
func bare(address string) string {
	address = strings.TrimSpace(address)
	if from, to := strings.LastIndexByte(address, '<'), strings.LastIndexByte(address, '>'); from >= 0 && to > from {
		address = address[from+1 : to]
	}
	address = strings.Trim(address, " \t\"'<>.")
	local, domain := split(address)
	if local == "" || domain == "" || len(address) > 320 || strings.ContainsAny(address, " \t\r\n,;<>") {
		return ""
	}
	return strings.ToLower(address)
}

// split returns the parts of an address before and after its last at sign; no domain: it has none.
func split(address string) (local, domain string) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, ""
	}
	return address[:at], address[at+1:]
}

func actionOf(field string) Action {
	word, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(field)), " ")
	switch action := Action(word); action {
	case Delayed, Delivered, Relayed, Expanded:
		return action
	default:
		return Failed
	}
}

// explained completes the recipients of a report with those of its words: where the report says only that something failed,
// and where it names none.
func explained(reported, inWords []BouncedRecipient) []BouncedRecipient {
	if len(reported) == 0 {
		return inWords
	}
	for i, r := range reported {
		for _, w := range inWords {
			if r.Cause == OtherCause && r.Action == w.Action && (r.Address == w.Address || len(reported) == 1 && len(inWords) == 1) {
				reported[i] = judged(r, w.Diagnostic)
				if r.Diagnostic == "" {
					reported[i].Diagnostic = w.Diagnostic
				}
			}
		}
	}
	return reported
}

// complete adds the recipients of the returned mail to a report that names none, if it had a single one: the report is about
// that one. What the report says decides nothing then.
func complete(bounces []BouncedRecipient, to []string) []BouncedRecipient {
	if len(bounces) == 0 && len(to) == 1 {
		return []BouncedRecipient{judged(BouncedRecipient{Address: to[0], Action: Failed}, "")}
	}
	for i := range bounces {
		if bounces[i].Address == "" && len(to) == 1 {
			bounces[i].Address = to[0]
		}
	}
	return bounces
}

func bounded(body []byte) []byte {
	if len(body) > maxText {
		body = body[:maxText]
	}
	return bytes.ToValidUTF8(body, []byte("\uFFFD"))
}
