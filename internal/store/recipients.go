package store

import (
	"cmp"
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// addressed is a mail to one person. StandsFor is the handle of whom the mail was for, when that is somebody else: one
// who no longer works here, or a handle that nobody has.
type addressed struct {
	ticket.Mail
	standsFor string
}

// address turns audiences and handles into people, and leaves out who is disabled: supervisors are written to instead of
// somebody who no longer works here, and nobody instead of a customer. An event owes nobody two mails, however many
// audiences they are in.
func (l *locked) address(ctx context.Context) ([]addressed, error) {
	d, err := l.directory(ctx)
	if err != nil {
		return nil, err
	}
	var owed []addressed
	for _, m := range l.mails {
		owed = append(owed, d.address(m)...)
	}
	return once(owed), nil
}

// once leaves each person one mail of an event. Who is written to in their own right stands in for nobody.
func once(owed []addressed) []addressed {
	type recipient struct {
		event  int
		person ticket.PersonID
	}
	at := map[recipient]int{}
	var kept []addressed
	for _, m := range owed {
		who := recipient{m.Event, m.Person}
		if i, again := at[who]; again {
			if m.standsFor == "" {
				kept[i].standsFor = ""
			}
			continue
		}
		at[who] = len(kept)
		kept = append(kept, m)
	}
	return kept
}

// directory is the desk's people as far as some mails need it.
type directory struct {
	gone      map[ticket.PersonID]leaver
	handles   map[string]ticket.PersonID // of staff who are not disabled; in small letters
	audiences map[policy.Audience][]ticket.PersonID
}

// leaver is somebody whom a mail names and who is shut out. A customer has no handle.
type leaver struct {
	role   ticket.Role
	handle string
}

// address gives whom a mail is for. A rung that reaches nobody would be lost: where nobody is a supervisor the
// administrators hear of it, and the other way round.
func (d directory) address(m ticket.Mail) []addressed {
	switch {
	case m.Audience != "":
		return to(m, "", d.audience(m.Audience))
	case m.Named != "":
		if person, known := d.handles[strings.ToLower(m.Named)]; known {
			return to(m, "", []ticket.PersonID{person})
		}
		return to(m, m.Named, d.audience(policy.TellSupervisors))
	}
	gone, out := d.gone[m.Person]
	switch {
	case !out:
		return to(m, "", []ticket.PersonID{m.Person})
	case gone.role.Staff():
		return to(m, gone.handle, d.audience(policy.TellSupervisors))
	default:
		return nil
	}
}

func to(m ticket.Mail, standsFor string, people []ticket.PersonID) []addressed {
	var all []addressed
	for _, person := range people {
		m.Person, m.Audience, m.Named = person, "", ""
		all = append(all, addressed{m, standsFor})
	}
	return all
}

// audience lists an audience's people, always in the same order.
func (d directory) audience(a policy.Audience) []ticket.PersonID {
	other := policy.TellAdministrators
	if a == policy.TellAdministrators {
		other = policy.TellSupervisors
	}
	if len(d.audiences[a]) == 0 {
		return d.audiences[other]
	}
	return d.audiences[a]
}

// directory looks up only what the step's mails need: most name one customer who is there.
func (l *locked) directory(ctx context.Context) (directory, error) {
	var d directory
	var named []ticket.PersonID
	var handles []string
	heads := false
	for _, m := range l.mails {
		switch {
		case m.Audience != "":
			heads = true
		case m.Named != "":
			heads, handles = true, append(handles, m.Named)
		default:
			named = append(named, m.Person)
		}
	}
	var err error
	if len(named) > 0 {
		if d.gone, err = leavers(ctx, l.tx, named); err != nil {
			return d, err
		}
		for _, gone := range d.gone {
			heads = heads || gone.role.Staff()
		}
	}
	if heads {
		err = d.look(ctx, l.tx, handles)
	}
	return d, err
}

// look fills in supervisors, administrators and whoever has one of some handles.
func (d *directory) look(ctx context.Context, q querier, handles []string) (err error) {
	d.audiences = map[policy.Audience][]ticket.PersonID{}
	for _, a := range []policy.Audience{policy.TellSupervisors, policy.TellAdministrators} {
		if d.audiences[a], err = audience(ctx, q, a); err != nil {
			return err
		}
	}
	d.handles = map[string]ticket.PersonID{}
	if len(handles) == 0 {
		return nil
	}
	rows, err := q.Query(ctx, `SELECT id, lower(handle) FROM people
		WHERE lower(handle) IN (SELECT lower(named) FROM unnest($1::text[]) named) AND role <> 'customer' AND disabled_at IS NULL`, handles)
	if err != nil {
		return err
	}
	var person ticket.PersonID
	var handle string
	_, err = pgx.ForEachRow(rows, []any{&person, &handle}, func() error {
		d.handles[handle] = person
		return nil
	})
	return err
}

// leavers gives those of some people who are shut out.
func leavers(ctx context.Context, q querier, some []ticket.PersonID) (map[ticket.PersonID]leaver, error) {
	rows, err := q.Query(ctx, `SELECT id, role, coalesce(handle, '') FROM people WHERE id = ANY ($1) AND disabled_at IS NOT NULL`, some)
	if err != nil {
		return nil, err
	}
	gone := map[ticket.PersonID]leaver{}
	var person ticket.PersonID
	var who leaver
	_, err = pgx.ForEachRow(rows, []any{&person, &who.role, &who.handle}, func() error {
		gone[person] = who
		return nil
	})
	return gone, err
}

// audience lists its people who are not disabled, always in the same order. That they are no customers is said for
// the sake of the index: a desk has many customers and few staff.
func audience(ctx context.Context, q querier, a policy.Audience) ([]ticket.PersonID, error) {
	role := cmp.Or(map[policy.Audience]ticket.Role{policy.TellAdministrators: ticket.RoleAdministrator}[a], ticket.RoleSupervisor)
	rows, err := q.Query(ctx, `SELECT id FROM people WHERE role = $1 AND role <> 'customer' AND disabled_at IS NULL ORDER BY id`, role)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ticket.PersonID])
}
