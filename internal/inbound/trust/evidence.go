package trust

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// claim is a domain that claims a mail, by a signature or by the server that sent it, and what checking the claim found.
type claim struct {
	domain  string
	outcome Outcome
}

// evidence is what was found about a mail from a domain.
type evidence struct {
	domain string // in From
	known  bool   // SPF was checked, as far as anything is published
	retry  bool   // a later check may find more
	spf    []claim
	dkim   []claim
	policy policy
}

// aligned reports whether a claim is the domain's own.
func (e evidence) aligned(c claim, strict bool) bool {
	if strict || c.domain == "" {
		return c.domain == e.domain
	}
	return organization(c.domain) == organization(e.domain)
}

// organization returns the domain under a public suffix that a domain belongs to, or the domain if there is none.
func organization(domain string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return org
}

// judge records the outcomes and the verdict.
func (e evidence) judge(r *Result) {
	spf, dkim := e.own(e.spf, e.policy.strictSPF), e.own(e.dkim, e.policy.strictDKIM)
	r.SPF, r.DKIM = summary(e.spf, spf), summary(e.dkim, dkim)
	r.Published = string(e.policy.published)
	r.DMARC = e.policy.outcome
	switch {
	case has(spf, Pass) || has(dkim, Pass):
		r.Verdict, r.Reason = Authentic, fmt.Sprintf("%s authenticated the email.", e.domain)
	case e.policy.outcome == TempError || has(spf, TempError) || has(dkim, TempError):
		r.DMARC, r.Retry = TempError, e.retry
		r.Reason = fmt.Sprintf("What %s publishes could not be looked up.", e.domain)
	case e.policy.outcome == Pass && !e.known && !has(dkim, Fail):
		r.DMARC = None
		r.Reason = fmt.Sprintf("The email has no valid signature of %s, and the server that sent it is not known.", e.domain)
	case e.policy.outcome == Pass:
		r.DMARC = Fail
		r.forged(fmt.Sprintf("%s has a DMARC policy (%s), and neither a signature nor the sending server is accepted by it%s.", e.domain, r.Published, e.found()))
	case has(spf, Fail) || has(dkim, Fail):
		r.forged(fmt.Sprintf("%s did not authenticate the email%s.", e.domain, e.found()))
	case has(spf, SoftFail):
		r.Reason = fmt.Sprintf("The server that sent the email is probably not one of %s.", e.domain)
	default:
		r.Reason = fmt.Sprintf("Nothing that %s publishes proves or disproves that the email is from it.", e.domain)
	}
}

// own returns the claims of the domain itself.
func (e evidence) own(all []claim, strict bool) []claim {
	var own []claim
	for _, c := range all {
		if e.aligned(c, strict) {
			own = append(own, c)
		}
	}
	return own
}

func has(all []claim, o Outcome) bool {
	return slices.ContainsFunc(all, func(c claim) bool { return c.outcome == o })
}

// summary returns the outcome that counts: Pass or the first, of the domain's own claims, or else of all.
func summary(all, own []claim) Outcome {
	if len(own) > 0 {
		all = own
	}
	if has(all, Pass) {
		return Pass
	}
	if len(all) == 0 {
		return None
	}
	return all[0].outcome
}

// found lists the claims for staff.
func (e evidence) found() string {
	var all []string
	for _, c := range e.spf {
		if c.domain != "" {
			all = append(all, c.describe("SPF"))
		}
	}
	for _, c := range e.dkim {
		all = append(all, c.describe("DKIM"))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}
