package automatic

import "time"

// Limits bound what is sent automatically.
type Limits struct {
	Window    time.Duration // that History counts mails in
	PerSender int           // automatic mails to one address within the window
	Exchanges int           // automatic mails one after another to one address, each answered, until a person writes
}

// DefaultLimits are enough for a person who opens several tickets in a row, and end a conversation of two desks after two.
func DefaultLimits() Limits { return Limits{Window: time.Hour, PerSender: 5, Exchanges: 2} }

// History is what was sent to a sender before.
type History struct {
	Sent int // automatic mails within the window
	// Exchanges counts automatic mails that were each followed by a mail from there, since staff or a known person
	// last wrote in the conversation.
	Exchanges int
}

// Answer says whether a mail may be answered automatically.
type Answer struct {
	Allowed bool
	To      string // the only address that may be answered; empty where not Allowed
	Reason  string // why not, for staff
}

// Suppress decides whether an automatic mail, such as a receipt, may be sent in answer to a mail. By RFC 3834 it goes to the
// return path and nowhere else, since From and Reply-To may name a person who has nothing to do with it. The writer's
// address takes its place where the return path isn't known, as in mailboxes that don't record it, and where it is that of a
// list of ours or of a form, which is the website's.
func (l Limits) Suppress(m Mail, v Verdict, h History) Answer {
	to := bare(m.ReturnPath)
	if v.Form != "" || !m.empty() && (to == "" || m.listIsOurs()) {
		to = v.Writer
	}
	switch {
	case v.Kind != Person || v.NoAnswer:
		return Answer{Reason: "not answered automatically: " + v.Reason}
	case m.empty() && v.Form == "" || to == "":
		return Answer{Reason: "not answered automatically: there is no return path"}
	case m.isOurs(to):
		return Answer{Reason: "not answered automatically: the return path is our own address " + to}
	case isDaemon(to) || noReply.MatchString(to):
		return Answer{Reason: "not answered automatically: the return path is " + to}
	case h.Exchanges >= l.Exchanges:
		return Answer{Reason: "not answered automatically: two programs seem to answer each other"}
	case !l.Allow(h):
		return Answer{Reason: "not answered automatically: too many automatic emails were sent to " + to + " lately"}
	}
	return Answer{Allowed: true, To: to}
}

// Allow reports whether one more automatic mail is within the limits.
func (l Limits) Allow(h History) bool { return h.Exchanges < l.Exchanges && h.Sent < l.PerSender }
