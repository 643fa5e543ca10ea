package inbound_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// became returns what a mail became: the events of ticket n, which had some messages before, another ticket, or the reason for which
// it became nothing.
func (o *office) became(n ticket.Number, r desk.IncomingResult, before int) string {
	o.t.Helper()
	switch {
	case r.Status != desk.IncomingAccepted:
		return r.Reason
	case r.Ticket != n:
		return "new ticket"
	}
	var kinds []string
	for _, said := range o.said(n)[before:] {
		kind, _, _ := strings.Cut(said, " by ")
		kinds = append(kinds, kind)
	}
	return strings.Join(kinds, ", ")
}

// sentTo returns the Message-ID of the latest mail about a ticket to a person.
func (o *office) sentTo(n ticket.Number, person ticket.PersonID) (id string) {
	o.t.Helper()
	for mailN := 1; ; mailN++ {
		m, err := o.Mail(o.t.Context(), n, mailN)
		if err != nil {
			return id
		}
		if m.Person == person {
			id = o.messageID(n, mailN, true)
		}
	}
}

// Who may do what by email follows from three things: to whom the proof in it was sent, whom From names, and whether their domain
// authenticates it. What a domain disowns is always quarantined.
func TestProof_whoMayDoWhat(t *testing.T) {
	t.Parallel()
	const (
		dora, sam = "Dora Account <dora@other.example>", "Sam Stranger <sam%d@elsewhere.example>"

		reply, joins, note, answer = "customer-replied", "participant-added, customer-replied", "noted", "agent-replied"

		fresh, unconfirmed, toStaff, noCustomer, unproven = "new ticket", desk.ReasonUnconfirmed, desk.ReasonNotStaff, desk.ReasonStaffNoCustomer, desk.ReasonStaffUnproven
	)
	for proof, want := range map[string][5][2]string{ // by the requester, a participant, someone with an account, a stranger and an agent; authenticated, and not
		"nothing":                    {{fresh, fresh}, {fresh, fresh}, {fresh, fresh}, {fresh, fresh}, {noCustomer, noCustomer}},
		"the requester's address":    {{reply, reply}, {reply, unconfirmed}, {joins, unconfirmed}, {joins, joins}, {note, unproven}},
		"the participant's address":  {{reply, unconfirmed}, {reply, reply}, {joins, unconfirmed}, {joins, joins}, {note, unproven}},
		"the agent's address":        {{reply, unconfirmed}, {reply, unconfirmed}, {toStaff, toStaff}, {toStaff, toStaff}, {note, note}},
		"the agent's public address": {{reply, unconfirmed}, {reply, unconfirmed}, {toStaff, toStaff}, {toStaff, toStaff}, {answer, answer}},
		"the requester's email":      {{reply, reply}, {reply, fresh}, {fresh, fresh}, {fresh, fresh}, {note, unproven}},
		"the agent's email":          {{reply, fresh}, {reply, fresh}, {fresh, fresh}, {fresh, fresh}, {note, note}},
		"a revoked address":          {{reply, fresh}, {reply, fresh}, {fresh, fresh}, {fresh, fresh}, {note, unproven}},
	} {
		t.Run(proof, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t)
			if _, err := o.AddPerson(t.Context(), desk.Person{Role: ticket.RoleCustomer, Name: "Dora Account", Address: "dora@other.example"}); err != nil {
				t.Fatal(err)
			}
			requester, participant := o.record(o.opened()).Requester.ID, o.joined(o.opened()).ID
			for who, from := range []string{carla, col, dora, sam, anna} {
				for i, authentication := range []string{"pass", "none", "fail"} {
					n := o.opened()
					o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
					o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbAddParticipant, Whom: desk.Whom{Person: string(participant)}})
					o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Which one?"})
					o.step(n)
					o.send(desk.Person{ID: requester, Role: ticket.RoleCustomer}, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "This one."})
					o.step(n)
					l := letter{from: strings.ReplaceAll(from, "%d", fmt.Sprint(i)), subject: "Re", body: "Hello."}
					_, domain, _ := strings.Cut(strings.TrimSuffix(l.from, ">"), "@")
					l.headers = []string{"Authentication-Results: border.example; dmarc=" + authentication + " header.from=" + domain}
					switch proof {
					case "the requester's address":
						l.to = o.token(n, requester, false)
					case "the participant's address":
						l.to = o.token(n, participant, false)
					case "the agent's address", "the agent's public address":
						l.to = o.token(n, o.agent.ID, proof == "the agent's public address")
					case "the requester's email":
						l.headers = append(l.headers, "In-Reply-To: "+o.sentTo(n, requester))
					case "the agent's email":
						l.headers = append(l.headers, "In-Reply-To: "+o.sentTo(n, o.agent.ID))
					case "a revoked address":
						l.to = o.token(n, requester, false)
						o.sql(`UPDATE people SET links_since = clock_timestamp() + make_interval(hours => $2) WHERE id = $1`, requester, 1+3*who+i) // addresses are issued from then
					}
					want := append(want[who][:], desk.ReasonForged)[i]
					before := len(o.said(n))
					if got := o.became(n, o.process(l), before); got != want {
						t.Errorf("by %s, authentication %s: %q, want %q", l.from, authentication, got, want)
					}
				}
			}
		})
	}
}
