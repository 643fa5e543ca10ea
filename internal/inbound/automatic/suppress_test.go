package automatic_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
)

func TestSuppress(t *testing.T) {
	empty := with()
	empty.EnvelopeEmpty, empty.ReturnPath = true, ""
	unknown := with()
	unknown.ReturnPath = ""
	anonymous := with()
	anonymous.ReturnPath, anonymous.From = "", nil
	for name, test := range map[string]struct {
		mail    automatic.Mail
		history automatic.History
		to      string // empty: not answered
	}{
		"a person":                      {with(), automatic.History{}, jane},
		"the return path, not From":     {with("Return-Path: <Bounces@Relay.example.com>", "Reply-To: victim@example.net"), automatic.History{}, "bounces@relay.example.com"},
		"From where no path is known":   {unknown, automatic.History{}, jane},
		"our list's return path":        {with("Return-Path: <support+bounces@example.org>", "List-Id: <support.example.org>"), automatic.History{}, jane},
		"our tagged return path":        {with("Return-Path: <support+bounces@example.org>"), automatic.History{}, ""},
		"a machine":                     {with("Auto-Submitted: auto-replied"), automatic.History{}, ""},
		"a list":                        {with("List-Id: <cats.example.net>"), automatic.History{}, ""},
		"a person who may be a machine": {with("Subject: Automatic reply: x"), automatic.History{}, ""},
		"no sender":                     {anonymous, automatic.History{}, ""},
		"no return path":                {empty, automatic.History{}, ""},
		"our own return path":           {with("Return-Path: <support@example.org>"), automatic.History{}, ""},
		"a mailer daemon's return path": {with("Return-Path: <mailer-daemon@example.com>"), automatic.History{}, ""},
		"noreply's return path":         {with("Return-Path: <noreply@example.com>"), automatic.History{}, ""},
		"the fifth within the hour":     {with(), automatic.History{Sent: 4}, jane},
		"the sixth within the hour":     {with(), automatic.History{Sent: 5}, ""},
		"the second exchange":           {with(), automatic.History{Exchanges: 1}, jane},
		"the third exchange":            {with(), automatic.History{Exchanges: 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := automatic.DefaultLimits().Suppress(test.mail, automatic.Classify(test.mail), test.history)
			if got.To != test.to || got.Allowed != (test.to != "") || got.Allowed == (got.Reason != "") {
				t.Errorf("got %+v, want to %q", got, test.to)
			}
		})
	}
}

// Two desks that answer each other's receipts, each of which hides that it is a program, stop after two.
func TestSuppress_endsAConversationOfTwoPrograms(t *testing.T) {
	history, sent := automatic.History{}, 0
	for range 1000 {
		m := with("Subject: Re: we received your request")
		if !automatic.DefaultLimits().Suppress(m, automatic.Classify(m), history).Allowed {
			break
		}
		sent++
		history.Sent++
		history.Exchanges++
	}
	if sent != 2 {
		t.Errorf("%d mails were sent", sent)
	}
}
