package trust

import (
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/authres"
)

// The limits of Authentication-Results.
const (
	maxResultFields = 20
	maxResultField  = 16 << 10
)

// readResults reads the results of the border.
func (c *Checker) readResults(h header, r *Result) {
	e := evidence{domain: r.Domain, known: true, policy: policy{outcome: None}}
	var dmarc []Outcome
	found := false
	for _, value := range c.written(h) {
		id, all, err := authres.Parse(plain(value))
		if err != nil || !strings.EqualFold(id, c.opts.AuthServID) {
			continue
		}
		found = true
		for _, one := range all {
			dmarc = append(dmarc, e.add(one)...)
		}
	}
	e.judge(r)
	switch {
	case slices.Contains(dmarc, Fail):
		r.DMARC = Fail
		r.forged("The email fails the DMARC policy of " + r.Domain + ".")
	case slices.Contains(dmarc, Pass):
		r.DMARC, r.Verdict = Pass, Authentic
		r.Reason = r.Domain + " authenticated the email."
	case len(dmarc) > 0:
		r.DMARC = dmarc[0]
	case !found:
		r.Reason = "The email has no results of " + c.opts.AuthServID + "."
	}
}

// add adds a result. It returns that of DMARC, if it is one about the domain in From.
func (e *evidence) add(result authres.Result) []Outcome {
	switch one := result.(type) {
	case *authres.SPFResult:
		_, domain, ok := cutAddress(one.From)
		switch {
		case !ok && one.From != "":
			domain = one.From
		case domain == "":
			domain = one.Helo
		}
		e.spf = append(e.spf, claim{canonical(domain), known(string(one.Value))})
	case *authres.DKIMResult:
		domain := one.Domain
		if domain == "" {
			_, domain, _ = cutAddress(one.Identifier)
		}
		e.dkim = append(e.dkim, claim{canonical(domain), known(string(one.Value))})
	case *authres.DMARCResult:
		if canonical(one.From) == e.domain {
			return []Outcome{known(string(one.Value))}
		}
	}
	return nil
}

// written returns the fields that the border wrote. The sender may have written everything below the border's Received field,
// so that of those only the first one of the border's name counts, and only if a listed host of that name wrote the Received
// field and there is nothing above it.
func (c *Checker) written(h header) []string {
	at, border := c.opts.Internal.border(h.fields)
	if at < 0 {
		return nil // where the border's part ends can't be seen
	}
	var above []string
	for _, f := range h.fields[:at] {
		if c.ours(f) && len(f.value) <= maxResultField && len(above) < maxResultFields {
			above = append(above, f.value)
		}
	}
	id := strings.ToLower(c.opts.AuthServID)
	by := strings.ToLower(border.by)
	if len(above) > 0 || !c.opts.Internal.listed(by) || by != id && !strings.HasSuffix(by, "."+id) {
		return above
	}
	below := h.fields[at+1:]
	if end := slices.IndexFunc(below, func(f field) bool { return f.is("Received") }); end >= 0 {
		below = below[:end]
	}
	if first := slices.IndexFunc(below, c.ours); first >= 0 && len(below[first].value) <= maxResultField {
		return []string{below[first].value}
	}
	return nil
}

// ours reports whether a field has results of the border's name.
func (c *Checker) ours(f field) bool {
	if !f.is("Authentication-Results") {
		return false
	}
	id, _, _ := authres.Parse(plain(f.value))
	return strings.EqualFold(id, c.opts.AuthServID)
}

// plain returns a structured field's value in one line, without comments and quotation marks. In quoted text, which may be
// the sender's, separators are replaced, so that it cannot look like a result.
func plain(value string) string {
	var text strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(value); i++ {
		b := value[i]
		switch {
		case b == '\\' && (quoted || depth > 0):
			if i++; quoted && i < len(value) {
				text.WriteByte(inert(value[i]))
			}
		case quoted:
			if b == '"' {
				quoted = false
			} else {
				text.WriteByte(inert(b))
			}
		case b == '(':
			depth++
			text.WriteByte(' ')
		case depth > 0:
			if b == ')' {
				depth--
			}
		case b == '"':
			quoted = true
		case b == '\r' || b == '\n':
			text.WriteByte(' ')
		default:
			text.WriteByte(b)
		}
	}
	return text.String()
}

func inert(b byte) byte {
	if b <= ' ' || strings.IndexByte(`;=()"`, b) >= 0 {
		return '_'
	}
	return b
}
