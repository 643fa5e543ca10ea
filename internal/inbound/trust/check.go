package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"blitiri.com.ar/go/spf"
	"github.com/emersion/go-msgauth/dmarc"
)

// check checks a mail by all three methods. Each has look-ups and time of its own, so that what a sender publishes about one
// domain cannot keep the policy of another from being read.
func (c *Checker) check(ctx context.Context, m Mail, h header, body io.Reader, r *Result) error {
	c.sender(&m, h)
	e := evidence{domain: r.Domain, known: m.ClientIP.IsValid(), retry: true}
	e.policy = c.policy(ctx, r.Domain)
	e.spf = []claim{c.spf(ctx, m)}
	var err error
	if e.dkim, err = c.signatures(ctx, h, body); err != nil {
		return err
	}
	e.judge(r)
	return nil
}

// spf checks the server that delivered a mail by the domain of its reverse path, or by its own name for notifications.
func (c *Checker) spf(ctx context.Context, m Mail) claim {
	local, domain, ok := cutAddress(m.EnvelopeFrom)
	if !ok {
		local, domain = "postmaster", m.Helo
	}
	s := claim{domain: canonical(domain), outcome: None}
	if !m.ClientIP.IsValid() || s.domain == "" {
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	result, _ := spf.CheckHostWithSender(net.IP(m.ClientIP.Unmap().AsSlice()), m.Helo, local+"@"+s.domain,
		spf.WithContext(ctx), spf.WithResolver(&limited{resolver: c.opts.Resolver}))
	s.outcome = known(string(result))
	return s
}

// policy is what a domain publishes for DMARC.
type policy struct {
	outcome               Outcome // Pass: there is a policy; None, TempError or PermError
	published             dmarc.Policy
	strictSPF, strictDKIM bool
}

// policy looks up the policy of a domain, or else of its organizational domain.
func (c *Checker) policy(ctx context.Context, domain string) policy {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	resolver := &limited{resolver: c.opts.Resolver}
	p := lookupPolicy(ctx, resolver, domain, false)
	if above := organization(domain); p.outcome == None && above != domain {
		p = lookupPolicy(ctx, resolver, above, true)
	}
	return p
}

func lookupPolicy(ctx context.Context, resolver Resolver, domain string, forSubdomain bool) policy {
	all, err := resolver.LookupTXT(ctx, "_dmarc."+domain)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsNotFound {
		return policy{outcome: TempError}
	}
	var records []string
	for _, text := range all {
		if version, _, _ := strings.Cut(text, ";"); strings.Join(strings.Fields(version), "") == "v=DMARC1" {
			records = append(records, text)
		}
	}
	if len(records) != 1 { // several are to be ignored, says RFC 7489
		return policy{outcome: None}
	}
	record, err := dmarc.Parse(records[0])
	if err != nil {
		return policy{outcome: PermError}
	}
	p := policy{
		outcome: Pass, published: record.Policy,
		strictSPF: record.SPFAlignment == dmarc.AlignmentStrict, strictDKIM: record.DKIMAlignment == dmarc.AlignmentStrict,
	}
	if forSubdomain && record.SubdomainPolicy != "" {
		p.published = record.SubdomainPolicy
	}
	return p
}

// known returns the outcome of a word, or None if it is another.
func known(word string) Outcome {
	switch o := Outcome(strings.ToLower(word)); o {
	case Pass, Fail, SoftFail, Neutral, Policy, TempError, PermError:
		return o
	case "hardfail":
		return Fail
	default:
		return None
	}
}

// describe returns an outcome with its domain, for reasons.
func (s claim) describe(method string) string {
	return fmt.Sprintf("%s of %s: %s", method, s.domain, s.outcome)
}
