// Package trust decides whether the address in a mail's From may be believed, by SPF (RFC 7208), DKIM (RFC 6376) and DMARC
// (RFC 7489). It either reads what a mail server in front of the desk found and wrote into Authentication-Results (RFC
// 8601), or checks by itself. It knows nothing of tickets and people, and decides nothing about the mail.
package trust

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"time"
)

// Outcome is the result of one method, in the words of RFC 8601.
type Outcome string

// The outcomes.
const (
	None      Outcome = "none" // nothing is published, or nothing was checked
	Pass      Outcome = "pass"
	Fail      Outcome = "fail"
	SoftFail  Outcome = "softfail"
	Neutral   Outcome = "neutral"
	Policy    Outcome = "policy" // valid, but not accepted
	TempError Outcome = "temperror"
	PermError Outcome = "permerror"
)

// Verdict is whether the address in From may be believed.
type Verdict string

// The verdicts.
const (
	// Unknown means that the domain publishes nothing that proves or disproves the address, or that it could not be checked.
	Unknown Verdict = "unknown"
	// Authentic means that the domain in From authenticated the mail, by a signature or by the server that sent it.
	Authentic Verdict = "authentic"
	// Forged means that the domain in From publishes how its mails are authenticated, and this one is not.
	Forged Verdict = "forged"
	// Ambiguous means that no single address can be believed or not: From names several, or is written so that mail programs
	// may show different ones, or the header can't be checked.
	Ambiguous Verdict = "ambiguous"
)

// CheckedHere is Result.By of a mail that was checked by this package.
const CheckedHere = "checked here"

// Result is what is known about the sender of a mail.
type Result struct {
	Verdict          Verdict
	SPF, DKIM, DMARC Outcome
	Address          string // in From, its domain in ASCII and lower case; empty: there is none that can be read
	Domain           string // of Address
	Published        string // DMARC policy: none, quarantine or reject; empty: not known
	By               string // the authserv-id whose results these are, or CheckedHere
	Retry            bool   // a look-up failed temporarily, so a later check may have another verdict
	Reason           string // of the verdict, a sentence for staff
}

// Mail is a mail with what its delivery said.
type Mail struct {
	Raw          io.Reader  // read once, to its end only if it is signed
	ClientIP     netip.Addr // of the server that delivered it to the desk; zero: not known, or it is the border itself
	Helo         string     // that the server called itself
	EnvelopeFrom string     // the reverse path, without angle brackets; empty: the mail is a notification
	// From is the address that the caller is going to believe. If it is not the one that this package reads, the verdict is
	// Ambiguous. Empty: the one in Result.
	From string
}

// Options are how mails are checked.
type Options struct {
	// AuthServID is the name that the border writes into its Authentication-Results. If it is set, its results are read and
	// nothing else is checked. The border must remove such fields of its name from what it receives, as RFC 8601 asks.
	AuthServID string
	// Internal are the mail servers of our own, the border among them, that add a Received field. The first such field from
	// the top that is not about a hop between two of them is the border's. Its results stand above that field, or are the
	// first ones below it if the border is listed and has the name AuthServID or one below it. If AuthServID is empty, the
	// server that sent a mail is the one that the border's field names; if the border is not listed, it is not known.
	Internal Hosts

	// Resolver is used where AuthServID is empty.
	Resolver Resolver
	// Timeout limits the look-ups of each of the three methods. Zero means 10 seconds.
	Timeout time.Duration
}

const defaultTimeout = 10 * time.Second

// Checker checks mails. It is safe for concurrent use.
type Checker struct{ opts Options }

// New returns a checker.
func New(opts Options) *Checker {
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	return &Checker{opts: opts}
}

// Results returns whether the sender of a mail may be believed. Nothing that a sender can write makes it fail: an error
// means that the mail could not be read.
func (c *Checker) Results(ctx context.Context, m Mail) (Result, error) {
	r := Result{Verdict: Unknown, SPF: None, DKIM: None, DMARC: None, By: c.opts.AuthServID}
	if r.By == "" {
		r.By = CheckedHere
	}
	h, body, err := readHeader(m.Raw)
	if problem := headerProblem(""); errors.As(err, &problem) {
		r.ambiguous(string(problem))
		return r, nil
	}
	if err != nil {
		return r, err
	}
	from, err := h.from()
	switch {
	case err != nil:
		r.ambiguous(err.Error())
		return r, nil
	case from == "":
		r.Reason = "The email does not say who it is from."
		if m.From != "" {
			r.ambiguous(errFrom.Error())
		}
		return r, nil
	}
	r.Address = from
	_, r.Domain, _ = cutAddress(from)
	if c.opts.AuthServID != "" {
		c.readResults(h, &r)
	} else if err := c.check(ctx, m, h, body, &r); err != nil {
		return r, err
	}
	if m.From != "" && !sameAddress(m.From, from) {
		r.ambiguous(errFrom.Error())
	}
	return r, nil
}

func (r *Result) forged(reason string)    { r.refuse(Forged, reason) }
func (r *Result) ambiguous(reason string) { r.refuse(Ambiguous, reason) }

func (r *Result) refuse(v Verdict, reason string) { r.Verdict, r.Retry, r.Reason = v, false, reason }

// cutAddress cuts an address at its last at sign, and reports whether there is one.
func cutAddress(address string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, "", false
	}
	return address[:at], address[at+1:], true
}

func sameAddress(a, b string) bool {
	localA, domainA, _ := cutAddress(a)
	localB, domainB, _ := cutAddress(b)
	return strings.EqualFold(localA, localB) && canonical(domainA) == canonical(domainB)
}
