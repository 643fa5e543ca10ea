package app

import (
	"context"
	"strings"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// address resolves audiences and handles to people. Mails to disabled staff go to the supervisors instead, and mails to
// disabled customers are dropped. An event owes each person one mail, however many of its audiences they are in.
func address(ctx context.Context, reader recipientReader, mails []ticket.Mail) ([]Mail, error) {
	if len(mails) == 0 {
		return nil, nil
	}
	d, err := readDirectory(ctx, reader, mails)
	if err != nil {
		return nil, err
	}
	var owed []Mail
	for _, m := range mails {
		owed = append(owed, d.address(m)...)
	}
	return onePerRecipient(owed), nil
}

// onePerRecipient keeps one mail per person and event. A person who is a recipient in their own right does not stand in
// for someone else.
func onePerRecipient(owed []Mail) []Mail {
	type recipient struct {
		event  int
		person ticket.PersonID
	}
	at := map[recipient]int{}
	var kept []Mail
	for _, m := range owed {
		to := recipient{m.Event, m.Person}
		if i, again := at[to]; again {
			if m.StandsFor == "" {
				kept[i].StandsFor = ""
			}
			continue
		}
		at[to] = len(kept)
		kept = append(kept, m)
	}
	return kept
}

// directory holds the people needed to address some mails.
type directory struct {
	disabled  map[ticket.PersonID]Disabled
	handles   map[string]ticket.PersonID // of staff who are not disabled; in lower case
	audiences map[policy.Audience][]ticket.PersonID
}

// readDirectory reads only what the mails need. Most steps owe one mail to a customer who is not disabled.
func readDirectory(ctx context.Context, reader recipientReader, mails []ticket.Mail) (d directory, err error) {
	var people []ticket.PersonID
	var handles []string
	audiences := false
	for _, m := range mails {
		switch {
		case m.Audience != "":
			audiences = true
		case m.Named != "":
			audiences, handles = true, append(handles, m.Named)
		default:
			people = append(people, m.Person)
		}
	}
	if len(people) > 0 {
		if d.disabled, err = reader.Disabled(ctx, people); err != nil {
			return d, err
		}
		for _, gone := range d.disabled {
			audiences = audiences || gone.Role.Staff()
		}
	}
	if !audiences {
		return d, nil
	}
	d.audiences = map[policy.Audience][]ticket.PersonID{}
	for _, a := range []policy.Audience{policy.NotifySupervisors, policy.NotifyAdministrators} {
		if d.audiences[a], err = reader.Audience(ctx, a); err != nil {
			return d, err
		}
	}
	if len(handles) > 0 {
		d.handles, err = reader.StaffByHandle(ctx, handles)
	}
	return d, err
}

// address returns one mail for each recipient.
func (d directory) address(m ticket.Mail) []Mail {
	switch {
	case m.Audience != "":
		return to(m, "", d.audience(m.Audience))
	case m.Named != "":
		if person, known := d.handles[strings.ToLower(m.Named)]; known {
			return to(m, "", []ticket.PersonID{person})
		}
		return to(m, m.Named, d.audience(policy.NotifySupervisors))
	}
	switch gone, disabled := d.disabled[m.Person]; {
	case !disabled:
		return to(m, "", []ticket.PersonID{m.Person})
	case gone.Role.Staff():
		return to(m, gone.Handle, d.audience(policy.NotifySupervisors))
	default:
		return nil
	}
}

func to(m ticket.Mail, standsFor string, people []ticket.PersonID) []Mail {
	var all []Mail
	for _, person := range people {
		m.Person, m.Audience, m.Named = person, "", ""
		all = append(all, Mail{Mail: m, StandsFor: standsFor})
	}
	return all
}

// audience returns the people of an audience. Without supervisors it returns the administrators, and the reverse, since an
// escalation that reaches no one would be lost.
func (d directory) audience(a policy.Audience) []ticket.PersonID {
	if people := d.audiences[a]; len(people) > 0 {
		return people
	}
	if a == policy.NotifyAdministrators {
		return d.audiences[policy.NotifySupervisors]
	}
	return d.audiences[policy.NotifyAdministrators]
}
