package trust

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// The limits of signatures.
const (
	maxSignatures    = 8 // from the top; others are ignored
	maxSignature     = 8 << 10
	maxSignedNames   = 200
	maxTrailingBytes = 64 << 10 // of ends of lines in a row, which are kept in memory
)

// signatures verifies the signatures of a mail and returns what each claims.
func (c *Checker) signatures(ctx context.Context, h header, body io.Reader) ([]claim, error) {
	fields, bounded := h.signatures()
	if len(fields) == 0 {
		return nil, nil
	}
	if !bounded {
		return []claim{{outcome: PermError}}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	resolver := &limited{resolver: c.opts.Resolver}
	text := &bodyReader{r: body}
	all, err := dkim.VerifyWithOptions(io.MultiReader(bytes.NewReader(h.raw), text), &dkim.VerifyOptions{
		MaxVerifications: maxSignatures,
		LookupTXT:        func(name string) ([]string, error) { return resolver.LookupTXT(ctx, name) },
	})
	switch {
	case text.err != nil:
		return nil, text.err
	case text.tooLong || err != nil && !errors.Is(err, dkim.ErrTooManySignatures):
		return []claim{{outcome: PermError}}, nil
	}
	repeated := h.repeats()
	claims := make([]claim, len(all))
	for i, v := range all {
		claims[i] = claim{canonical(v.Domain), outcome(v.Err)}
		if claims[i].outcome == Pass && repeated || hasTag(fields[i], "l") && claims[i].outcome == Fail {
			claims[i].outcome = Policy
		}
	}
	return claims, nil
}

func outcome(err error) Outcome {
	switch {
	case err == nil:
		return Pass
	case dkim.IsTempFail(err):
		return TempError
	case dkim.IsPermFail(err):
		return PermError
	default:
		return Fail
	}
}

// signatures returns the signatures that are verified, and reports whether that takes a bounded time.
func (h header) signatures() (fields []string, bounded bool) {
	for _, f := range h.fields {
		if !f.is("DKIM-Signature") {
			continue
		}
		if len(f.value) > maxSignature || strings.Count(f.value, ":") > maxSignedNames {
			return []string{f.value}, false
		}
		if fields = append(fields, f.value); len(fields) == maxSignatures {
			break
		}
	}
	return fields, true
}

// single are the fields that programs read one of, though not the same: a signature covers the last one.
var single = map[string]bool{
	"reply-to": true, "sender": true, "to": true, "cc": true, "subject": true, "date": true, "message-id": true, "in-reply-to": true, "references": true,
	"mime-version": true, "content-type": true, "content-transfer-encoding": true,
}

// repeats reports whether a field that may stand once is repeated, so that a signed mail may show what was not signed.
func (h header) repeats() bool {
	seen := map[string]bool{}
	for _, f := range h.fields {
		name := strings.ToLower(f.name)
		if single[name] && seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

func hasTag(signature, tag string) bool {
	for pair := range strings.SplitSeq(signature, ";") {
		name, _, _ := strings.Cut(pair, "=")
		if strings.TrimSpace(name) == tag {
			return true
		}
	}
	return false
}

// bodyReader reads the body of a mail. It ends early instead of failing, because the verifier would wait for ever for the
// rest.
type bodyReader struct {
	r       io.Reader
	ends    int   // ends of lines since the last other character
	tooLong bool  // there were too many
	err     error // of r
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.tooLong || b.err != nil {
		return 0, io.EOF
	}
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
		return n, io.EOF
	}
	for _, c := range p[:n] {
		switch c {
		case '\r', '\n':
			b.ends++
		case ' ', '\t':
		default:
			b.ends = 0
		}
		if b.ends > maxTrailingBytes {
			b.tooLong = true
			return 0, io.EOF
		}
	}
	return n, err
}
