package automatic_test

import (
	"bytes"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

// exceptions are mails of the corpus that are not what their names say, or say less, with the reason.
var exceptions = map[string]struct {
	reason        string
	kind          automatic.Kind
	noCause, noID bool
}{
	"arf-18":                        {"a report of failed authentication complains of nothing", automatic.AutoReply, false, false},
	"not-a-bounce-rb-issue-368-bug": {"it says Auto-Submitted and returns a mail", automatic.AutoReply, false, false},
	"lhost-googlegroups-02":         {"the group doesn't exist or doesn't allow the mail", "", true, false},
	"lhost-googlegroups-06":         {"likewise, in Greek", "", true, false},
	"lhost-googlegroups-10":         {"likewise, in Hebrew", "", true, false},
	"lhost-googlegroups-14":         {"likewise", "", true, false},
	"lhost-postfix-64":              {"Delivery report unavailable", "", true, false},
	"lhost-trendmicro-03":           {"the reason stands in the body of the attached report", "", true, false},
	"lhost-x3-05":                   {"no reason", "", true, false},
	"rfc3464-39":                    {"no reason", "", true, false},
	"lhost-bigfoot-02":              {"the returned mail is message/partial, which is a file", "", false, true},
	"lhost-x6-01":                   {"the returned headers are a file", "", false, true},
}

var returnedID = regexp.MustCompile(`(?im)^[ \t>]*message-id:\s*<([^<>\s]+)>`)

// expected returns the kind of a mail of the corpus by its name.
func expected(name string) automatic.Kind {
	switch {
	case strings.HasPrefix(name, "arf-"):
		return automatic.Complaint
	case strings.HasPrefix(name, "rfc3834-"):
		return automatic.AutoReply
	case strings.HasPrefix(name, "not-a-bounce-"):
		return automatic.Person
	default:
		return automatic.Bounce
	}
}

func TestClassify_knowsEveryReportOfTheCorpus(t *testing.T) {
	all := corpus(t, "bounces/*.eml")
	count := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m := read(t, all[name])
		v, except := automatic.Classify(m), exceptions[name]
		want := expected(name)
		if except.kind != "" {
			want = except.kind
		}
		if v.Kind != want {
			t.Errorf("%s is a %s (%s), want %s", name, v.Kind, v.Reason, want)
		}
		count[string(v.Kind)]++
		if v.Kind == automatic.Bounce {
			if len(v.Bounces) == 0 || v.Bounces[0].Address == "" {
				t.Errorf("%s names no recipient", name)
				continue
			}
			count["with recipient"]++
			if known := slices.ContainsFunc(v.Bounces, understood); known == except.noCause {
				t.Errorf("%s: understood %v, want %v: %+v", name, known, !known, v.Bounces)
			} else if known {
				count["with cause"]++
			}
		}
		if ids := returnedIDs(all[name], m.MessageID); len(ids) > 0 && v.Kind != automatic.Person {
			found := slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(v.OriginalMessageIDs, id) })
			if found == except.noID {
				t.Errorf("%s: found %v: %q, want one of %q", name, found, v.OriginalMessageIDs, ids)
			} else if found {
				count["with Message-ID"]++
			}
		}
	}
	t.Logf("%d mails: %v", len(all), count)
}

// understood reports whether the report says more of a recipient than that something failed.
func understood(r automatic.BouncedRecipient) bool {
	return r.Cause != automatic.OtherCause || r.Status != "" || r.Action == automatic.Delivered
}

// returnedIDs returns the Message-IDs in a raw mail besides its own.
func returnedIDs(raw []byte, own string) []string {
	var ids []string
	for _, id := range returnedID.FindAllStringSubmatch(string(raw), -1) {
		if id[1] != own {
			ids = append(ids, id[1])
		}
	}
	return ids
}

func TestClassify_takesPeopleOfTheCorpusForPeople(t *testing.T) {
	for name, raw := range corpus(t, "replies/*.eml") {
		if v := automatic.Classify(read(t, raw)); v.Kind != automatic.Person || v.NoAnswer {
			t.Errorf("reply %s is a %s: %s", name, v.Kind, v.Reason)
		}
	}
	for name, text := range corpus(t, "quotes/*.txt") {
		if v := automatic.Classify(person(string(text))); v.Kind != automatic.Person || v.NoAnswer {
			t.Errorf("quote %s is a %s: %s", name, v.Kind, v.Reason)
		}
	}
}

// Reports that a person copies or forwards are a person's mail.
func TestClassify_takesPeopleWhoQuoteReportsForPeople(t *testing.T) {
	for name, raw := range corpus(t, "bounces/*.eml") {
		m := person("What does this mean?\n\n" + read(t, raw).Text)
		if v := automatic.Classify(m); v.Kind != automatic.Person {
			t.Errorf("a person who quotes %s is a %s: %s", name, v.Kind, v.Reason)
		}
	}
}

// machines are the mails of the folder mime that are no person's, except for the delivery reports, which have dsn in their names.
var machines = map[string]automatic.Kind{
	"stalwart-thirdparty-014":      automatic.List,
	"enmime-multipart-wo-boundary": automatic.Bounce, // from Mailer-Daemon, of no recipient
}

func TestClassify_knowsTheMachinesAmongMalformedMails(t *testing.T) {
	for name, raw := range corpus(t, "mime/*.[er][ma][lw]") {
		m, err := message.Read(t.Context(), bytes.NewReader(raw), func(message.File, io.Reader) error { return nil })
		if err != nil {
			t.Errorf("read %s: %v", name, err)
			continue
		}
		want := automatic.Person
		if strings.Contains(name, "dsn") {
			want = automatic.Bounce
		} else if kind, is := machines[name]; is {
			want = kind
		}
		v := automatic.Classify(automatic.Mail{Message: m})
		if v.Kind != want {
			t.Errorf("%s is a %s (%s), want %s", name, v.Kind, v.Reason, want)
		}
		if strings.Contains(name, "dsn") && (len(v.Bounces) == 0 || v.Bounces[0].Address == "") {
			t.Errorf("%s names no recipient", name)
		}
	}
}
